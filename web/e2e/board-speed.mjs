// Scrolls and filters the board in a real browser: no frame may take the page more than 50 ms. The server must hold a
// large tenant (see fill.mjs). What counts is the time that the page's own work takes, frame by frame, from the
// browser's trace: time in which another process had the processor isn't the page's. Where the machine is busy even
// that varies, so the best of up to three tries counts. Usage: BASE=http://127.0.0.1:8080 node e2e/board-speed.mjs
import assert from 'node:assert/strict';
import { launch, Person } from './browser.mjs';

const most = 50;
const tries = 3;
const frames = 150;

const browser = await launch();
const person = await Person.arrive(browser, { language: 'en' });
const { page, t } = person;
page.setDefaultTimeout(60_000);
await person.signIn('ana@cliente-a.example', undefined, '/t/cliente-a/workers');
await page.getByRole('article').first().waitFor();

/** The tasks of the page's main thread while act runs: milliseconds of processor and by the clock. */
async function traced(act) {
  await browser.startTracing(page, {
    categories: ['toplevel', '__metadata'], // more would take time of its own
  });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  // The page's own process is the one that painted.
  const main = traceEvents.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain');
  const tasks = (thread) =>
    traceEvents.filter((e) => e.ph === 'X' && /RunTask$/.test(e.name) && e.pid === thread.pid && e.tid === thread.tid);
  const all = main.map(tasks).sort((a, b) => b.length - a.length)[0] ?? [];
  assert.ok(all.length > 20, 'the trace has no tasks of the page');
  const sorted = (of) => all.map(of).sort((a, b) => b - a);
  return {
    processor: sorted((e) => (e.tdur ?? e.dur ?? 0) / 1000),
    clock: sorted((e) => (e.dur ?? 0) / 1000),
  };
}

const problems = [];
async function measure(what, act, check) {
  let longest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries && longest > most; i++) {
    const { processor, clock } = await traced(act);
    longest = Math.min(longest, processor[0]);
    console.log(
      `${what}: ${processor.length} tasks, the longest ${processor[0].toFixed(1)} ms of processor (${clock[0].toFixed(1)} ms by the clock), ` +
        `99 % within ${processor[Math.floor(processor.length / 100)].toFixed(1)} ms`,
    );
    await check();
  }
  if (longest > most) problems.push(`${what}: a frame takes ${longest.toFixed(1)} ms`);
}

/** Scrolls as fast as people do (150 pixels a frame, 9,000 a second), down and then up. */
const scroll = () =>
  page.evaluate(
    (frames) =>
      new Promise((resolve) => {
        let frame = 0;
        const next = () => {
          window.scrollBy(0, frame < frames / 2 ? 150 : -150);
          if (++frame < frames) requestAnimationFrame(next);
          else resolve();
        };
        requestAnimationFrame(next);
      }),
    frames,
  );
await measure('scroll', scroll, async () => {
  await page.getByRole('article').first().waitFor();
  assert.ok((await page.getByRole('article').count()) < 100, 'boxes out of sight are in the page');
});

const search = person.field(t('workers:toolbar.search'));
const all = await page.getByRole('article').first().getAttribute('aria-label');
await measure(
  'filter',
  async () => {
    // Letter by letter, each answered before the next.
    let typed = '';
    for (const letter of 'bot 123') {
      typed += letter;
      await search.press(letter === ' ' ? 'Space' : letter);
      await page.waitForURL((url) => url.searchParams.get('q') === typed.trim() || letter === ' ');
    }
    await page.getByRole('article').filter({ hasText: 'Bot 123 de atendimento' }).first().waitFor();
  },
  async () => {
    await search.fill('');
    await page.getByRole('article', { name: all, exact: true }).waitFor();
  },
);
const group = (name) => person.button(new RegExp(`^${t(`workers:group.${name}`)}`));
await measure(
  'states',
  async () => {
    await group('stopped').click();
    await page.getByText(t('ui:empty.filtered')).waitFor();
    await group('all').click();
    await page.getByRole('article', { name: all, exact: true }).waitFor();
  },
  async () => undefined,
);
await person.leave();
await browser.close();
for (const problem of problems) console.error('!', problem);
process.exit(problems.length === 0 ? 0 : 1);
