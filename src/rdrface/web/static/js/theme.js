// Dark and light: the setting of the system, until the switch is used.
export function startTheme(button) {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
  const label = () => button.setAttribute('aria-pressed', String(isDark()));
  try {
    const stored = localStorage.getItem('rdrface-theme');
    if (stored === 'dark' || stored === 'light') root.dataset.theme = stored;
  } catch { /* Storage can be blocked; the switch still works. */ }
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    label();
    try {
      localStorage.setItem('rdrface-theme', root.dataset.theme);
    } catch { /* As above. */ }
  });
  system.addEventListener('change', label);
  label();
}
