// The engine that index.html names in <meta name="rdrface-engine">: "server" or "local".
export async function chooseEngine() {
  const name = document.querySelector('meta[name="rdrface-engine"]').content;
  if (name === 'local') return new (await import('./local_engine.js')).LocalEngine();
  return new (await import('./server_engine.js')).ServerEngine();
}
