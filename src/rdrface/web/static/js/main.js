// Starts the page.
import { chooseEngine } from './engines/choose.js';
import { Page } from './page.js';

const page = new Page(await chooseEngine());
globalThis.rdrface = page; // for the console of the browser
await page.start();
