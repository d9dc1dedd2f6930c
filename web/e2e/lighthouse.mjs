// Has Lighthouse measure the sign-in page and the board in a real browser: performance of at least 95, accessibility
// and best practices of 100, and at most 250 KB of compressed script until the page is there. The server must hold a
// large tenant (see fill.mjs). A busy machine lowers the score for performance, so the best of up to three runs counts; the
// others must hold in every run. Usage: BASE=http://127.0.0.1:8080 node e2e/lighthouse.mjs
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromium } from 'playwright-core';
import { base, demoPassword, Person } from './browser.mjs';

const port = 9_300 + (process.pid % 500);
const runs = 3;
const least = { performance: 95, accessibility: 100, 'best-practices': 100 };
/** Bytes of compressed script: until a page is shown, and with what follows once the browser is idle. */
const mostScript = 250_000;
const mostAfterwards = 270_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', `--remote-debugging-port=${port}`],
});
const problems = [];

async function measure(what, path, cookie) {
  let best = 0;
  for (let run = 1; run <= runs && best < least.performance; run++) {
    const result = await lighthouse(
      base + path,
      {
        port,
        logLevel: 'error',
        output: 'json',
        onlyCategories: Object.keys(least),
        extraHeaders: cookie && { Cookie: cookie },
        disableStorageReset: true,
      },
      desktopConfig,
    ).catch((error) => ({ lhr: { runtimeError: error } }));
    const { lhr } = result;
    if (lhr.runtimeError) {
      console.log(`${what}: ${lhr.runtimeError.message}`);
      continue;
    }
    const score = (category) => Math.round(lhr.categories[category].score * 100);
    const time = (audit) => `${Math.round(lhr.audits[audit].numericValue)} ms`;
    best = Math.max(best, score('performance'));
    console.log(
      `${what}: performance ${score('performance')}, accessibility ${score('accessibility')}, best practices ${score('best-practices')}; ` +
        `first paint ${time('first-contentful-paint')}, largest ${time('largest-contentful-paint')}, blocked ${time('total-blocking-time')}, ` +
        `shift ${lhr.audits['cumulative-layout-shift'].displayValue}`,
    );
    if (new URL(lhr.finalDisplayedUrl).pathname !== path)
      problems.push(`${what}: it ended at ${lhr.finalDisplayedUrl}`);
    for (const category of ['accessibility', 'best-practices']) {
      if (score(category) >= least[category]) continue;
      const wrong = lhr.categories[category].auditRefs
        .map((ref) => lhr.audits[ref.id])
        .filter((audit) => audit.score !== null && audit.score < 1)
        .map((audit) => `${audit.title} ${JSON.stringify(audit.details?.items ?? []).slice(0, 400)}`);
      problems.push(`${what}: ${category} is ${score(category)}: ${wrong.join('; ')}`);
    }
  }
  if (best < least.performance) problems.push(`${what}: performance is ${best} in the best of ${runs} runs`);
}

const response = await fetch(`${base}/api/v1/login`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ email: 'ana@cliente-a.example', password: demoPassword }),
});
const cookie = response.headers.get('set-cookie').split(';')[0];

/** The compressed script that a browser which was never here loads for a page. */
async function weigh(what, path, shown) {
  const person = await Person.arrive(browser, { language: 'pt-BR' });
  const [name, value] = cookie.split('=');
  if (path !== '/login') await person.context.addCookies([{ name, value, url: base }]);
  await person.page.addInitScript((shown) => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector(shown)) return;
      observer.disconnect();
      window.shownAt = performance.now();
    }).observe(document, { childList: true, subtree: true });
  }, shown);
  await person.open(path);
  await person.page.waitForFunction(() =>
    performance.getEntriesByType('resource').some((r) => /Overlays-.*\.js$/.test(r.name)),
  );
  const [first, all] = await person.page.evaluate(() => {
    const scripts = performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js'));
    const bytes = (some) => some.reduce((sum, r) => sum + r.encodedBodySize, 0);
    return [bytes(scripts.filter((r) => r.startTime < window.shownAt)), bytes(scripts)];
  });
  const kilobytes = (bytes) => `${Math.round(bytes / 1000)} KB`;
  console.log(`${what}: ${kilobytes(first)} of compressed script until it is shown, ${kilobytes(all)} in all`);
  if (first < 50_000 || first > mostScript) problems.push(`${what}: ${first} bytes of script until it is shown`);
  if (all > mostAfterwards) problems.push(`${what}: ${all} bytes of script in all`);
  await person.leave();
}

await weigh('sign-in', '/login', 'input[name=email]');
await weigh('board', '/t/cliente-a/workers', 'article');

await measure('sign-in', '/login');
await measure('board', '/t/cliente-a/workers', cookie);
await browser.close();
for (const problem of problems) console.error('!', problem);
process.exit(problems.length === 0 ? 0 : 1);
