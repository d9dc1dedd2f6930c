// Walks through the dashboard in a real browser, against a running server with demo data and Docker Workers, the way
// people do. Each flow runs on a desktop and on a phone, in Portuguese and in English.
// Usage: BASE=http://127.0.0.1:8080 PROGRAM=program.tar.gz node e2e/flows.mjs [flow…]
import { base, launch, Person } from './browser.mjs';
import { bots } from './flows/bots.mjs';
import { channels } from './flows/channels.mjs';
import { network } from './flows/network.mjs';
import { operator } from './flows/operator.mjs';
import { support } from './flows/support.mjs';
import { team } from './flows/team.mjs';
import { tenants } from './flows/tenants.mjs';
import { workers } from './flows/workers.mjs';

const flows = { workers, bots, team, operator, tenants, network, support, channels };
const rounds = [
  ['workers', { size: 'desktop', language: 'en' }],
  ['workers', { size: 'phone', language: 'pt-BR' }],
  ['bots', { size: 'desktop', language: 'pt-BR' }],
  ['bots', { size: 'phone', language: 'en' }],
  ['team', { size: 'desktop', language: 'pt-BR' }],
  ['team', { size: 'phone', language: 'en' }],
  ['operator', { size: 'desktop', language: 'en' }],
  ['operator', { size: 'phone', language: 'pt-BR' }],
  ['tenants', { size: 'desktop', language: 'en' }],
  ['tenants', { size: 'phone', language: 'pt-BR' }],
  ['network', { size: 'desktop', language: 'pt-BR' }],
  ['support', { size: 'desktop', language: 'pt-BR' }],
  ['support', { size: 'phone', language: 'en' }],
  ['channels', { size: 'desktop', language: 'en' }],
  ['channels', { size: 'phone', language: 'pt-BR' }],
];

// A machine that is busy with other things too has had Chromium draw nothing for half a minute. A round that fails is
// walked through once more, in a new browser, and both are told; what is really wrong fails again.
const tries = 2;

/** Walks through a flow, with a browser of its own. */
async function walk(title, name, how) {
  console.log(title);
  const began = Date.now();
  let last = '';
  const step = (what) => {
    last = what;
    console.log(`  · ${what}`);
  };
  const browser = await launch();
  const people = [];
  /** Another person, at a browser like that of the round. */
  const arrive = async (over = {}) => {
    const person = await Person.arrive(browser, { ...how, ...over });
    people.push(person);
    return person;
  };
  try {
    await flows[name]({ ...how, step, arrive });
    for (const person of people) await person.leave();
  } catch (error) {
    console.error(`${title}, "${last}":`);
    for (const [i, person] of people.entries()) {
      console.error(`  ${person.whereabouts()}`);
      const { SHOT } = process.env;
      if (SHOT) await person.page.screenshot({ path: `${SHOT}-${i}.png` });
    }
    throw error;
  } finally {
    await browser.close();
  }
  console.log(`  ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

const chosen = process.argv.slice(2);
const again = [];
for (const [name, how] of rounds) {
  const title = `${name} ${how.size} ${how.language}`;
  if (chosen.length > 0 && !chosen.some((c) => title.startsWith(c))) continue;
  for (let attempt = 1; ; attempt++) {
    try {
      await walk(title, name, how);
      break;
    } catch (error) {
      if (attempt >= tries) throw error;
      console.error(error);
      again.push(title);
    }
  }
}
console.log(`all flows pass at ${base}${again.length > 0 ? `; a second try needed ${again.join(', ')}` : ''}`);
