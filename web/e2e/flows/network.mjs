import assert from 'node:assert/strict';

/** A network that breaks off what is on its way: whatever of the dashboard doesn't arrive is asked for again. */
export async function network({ step, arrive }) {
  const me = await arrive();
  const { page, t } = me;
  const broken = new Set();
  /** Breaks off the first request for each file with this ending. */
  const breakOff = (ending) =>
    page.route(new RegExp(`/assets/[^?]*\\.${ending}`), async (route) => {
      const url = route.request().url();
      if (broken.has(url)) return route.continue();
      broken.add(url);
      await route.abort('connectionreset');
    });
  /** Buttons have the look of the product, and not that of a page without styles. */
  const styled = () => page.locator('button[type=submit]').evaluate((e) => getComputedStyle(e).borderRadius !== '0px');

  step('style sheets that are broken off arrive in the end');
  await breakOff('css');
  await me.open('/login');
  await me.heading(t('session:login.title')).waitFor();
  await page.waitForFunction(() => [...document.styleSheets].length >= 2);
  assert.equal(await styled(), true);
  await me.enter('ana@cliente-a.example');
  await me.heading(t('overview:title')).waitFor();
  await me.go(t('app:nav.team'));
  const broke = broken.size;
  assert.ok(broke >= 3, `${broke} style sheets were broken off`);
  for (const url of broken)
    await page.waitForFunction((url) => [...document.styleSheets].some((s) => s.href === url), url);

  step('so do parts of the program');
  await page.unrouteAll();
  await breakOff('js');
  await me.open('/account');
  await me.heading(t('session:account.title')).waitFor({ timeout: 60_000 });
  assert.ok(broken.size > broke, 'no part of the program was broken off');
}
