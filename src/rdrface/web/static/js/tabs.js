// A list of tabs: arrow keys move between them.
export function startTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const select = (tab) => {
    for (const other of tabs) {
      other.setAttribute('aria-selected', String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      document.getElementById(other.getAttribute('aria-controls')).hidden = other !== tab;
    }
  };
  list.addEventListener('click', (event) => tabs.includes(event.target) && select(event.target));
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tab = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    select(tab);
    tab.focus();
    event.preventDefault();
  });
}

/** Mark one button of a group as pressed. */
export function press(group, pressed) {
  for (const button of group.querySelectorAll('button')) button.setAttribute('aria-pressed', String(button === pressed));
}
