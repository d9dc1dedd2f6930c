import assert from 'node:assert/strict';
import { base, part, soon } from '../browser.mjs';

/** Workers and their board: find, create, move bots, resize, two people at once, stop, delete. */
export async function workers({ size, step, arrive }) {
  const client =
    size === 'desktop'
      ? { slug: 'cliente-a', email: 'ana@cliente-a.example', home: 'Operações', bot: 'Rastreio de Pedidos' }
      : { slug: 'cliente-b', email: 'bruno@cliente-b.example', home: 'Geral', bot: 'Recepção' };
  const { home, bot } = client;
  const tenant = `/tenants/${client.slug}`;
  const me = await arrive();
  const { page, t } = me;
  const settled = async () =>
    (await me.until(`${tenant}/bots`, (r) => r.items.every((b) => !b.move_id && b.status.state === 'running'))).items;

  step('a wrong password says so; the page that was asked for comes after the log-in');
  await me.open(`/t/${client.slug}/workers?view=list`);
  await page.waitForURL(/\/login\?next=/);
  await me.enter(client.email, 'not the password');
  await page.getByText(t('session:login.wrong')).waitFor();
  await me.enter(client.email);
  await page.waitForURL(/view=list/);
  await page.getByRole('table').getByRole('link', { name: home }).waitFor();
  await settled();

  step('the overview says what runs and what is left of the plan; styles that break off on the way come after all');
  const brokenOff = new Set();
  await page.route(/\.css$/, (route) => {
    const first = !brokenOff.has(route.request().url());
    brokenOff.add(route.request().url());
    return first ? route.abort('connectionaborted') : route.continue();
  });
  await me.open(`/t/${client.slug}/workers`);
  await me.go(t('app:nav.overview'));
  await page.waitForFunction(() => [...document.querySelectorAll('link[rel=stylesheet]')].every((l) => l.sheet));
  assert.ok(brokenOff.size > 1, 'no styles were loaded by the page of the Workers and the overview');
  await page.unroute(/\.css$/);
  await page.getByText(t('overview:attention.none')).waitFor(soon);
  await page
    .getByRole('meter', { name: t('tenants:resource.memory') })
    .first()
    .waitFor();

  step('the Worker selector scopes what is shown and stays in the address');
  const selector = page.getByRole('combobox', { name: t('workers:selector.label') });
  await me.choose(selector, home);
  await page.waitForURL(/worker=wrk_/);
  await me.go(t('app:nav.workers'));
  await me.box(home).waitFor();
  assert.equal(await page.getByRole('article').count(), 1);
  assert.match(page.url(), /worker=wrk_/);
  await me.choose(selector, t('workers:selector.all'));
  await page.getByRole('article').nth(1).waitFor();

  step('the list is searched, filtered and sorted');
  await me.segment(t('workers:toolbar.list'));
  await me.field(t('workers:toolbar.search')).fill(home);
  await page.waitForURL(/q=/);
  await page.getByRole('row').nth(2).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('row').count(), 2, 'the head and the one that is searched');
  await me.field(t('workers:toolbar.search')).fill('');
  await me.button(part(t('workers:group.stopped'))).click();
  await page.getByText(t('ui:empty.filtered')).waitFor();
  await me.button(t('ui:empty.clear')).click();
  await page.getByRole('row').nth(2).waitFor();
  await me.segment(t('workers:toolbar.board'));

  step('create a Worker, and follow it step by step until it runs, without a reload');
  const name = `Flow ${size} ${Date.now() % 100_000}`;
  await me.link(t('workers:create')).click();
  await me.field(t('workers:new.nameLabel')).fill(name);
  await page.getByRole('radio', { name: part(t('workers:size.preset.small')) }).click();
  await page.evaluate(() => {
    window.steps = [];
    window.loadedOnce = true;
    new MutationObserver(() => {
      const now = document.querySelector('[aria-current="step"]')?.textContent;
      if (now && window.steps.at(-1) !== now) window.steps.push(now);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await me.button(t('workers:create')).click();
  await me.heading(name).waitFor();
  await page.locator('h1', { hasText: t('status:worker.running') }).waitFor(soon);
  const { seen, same } = await page.evaluate(() => ({ seen: window.steps, same: window.loadedOnce }));
  assert.equal(same, true, 'the page was loaded again');
  const order = ['image', 'network', 'volume', 'machine', 'start', 'agent'].map((s) => t(`workers:provisioning.${s}`));
  assert.ok(seen.length >= 1, 'no step was shown');
  assert.deepEqual(
    seen.map((s) => order.indexOf(s)),
    seen.map((s) => order.indexOf(s)).sort((a, b) => a - b),
  );
  const workerUrl = new URL(page.url()).pathname;
  const worker = workerUrl.match(/wrk_\w+/)[0];

  step('a name that is taken is refused at its field; leaving asks, and nothing typed is lost');
  await me.open(`/t/${client.slug}/workers/new`);
  await me.field(t('workers:new.nameLabel')).fill(name);
  await me.button(t('workers:create')).click();
  await page.getByText(t('ui:error.name_taken')).first().waitFor();
  assert.equal(await me.field(t('workers:new.nameLabel')).inputValue(), name);
  await me
    .link(part(t('workers:title')))
    .filter({ visible: true })
    .last()
    .click();
  await me.button(t('ui:stay')).click();
  assert.equal(await me.field(t('workers:new.nameLabel')).inputValue(), name);
  await me
    .link(part(t('workers:title')))
    .filter({ visible: true })
    .last()
    .click();
  await me.button(t('ui:leave.leave')).click();
  await me.heading(t('workers:title')).waitFor();

  const moved = (to) => t('moves:done', { bot, to });
  if (!me.phone) {
    step('drag a bot to the new Worker, see it arrive, and take it back');
    await me.chip(home, bot).dragTo(me.box(name));
    await me.toast(moved(name)).waitFor(soon);
    await me.chip(name, bot).waitFor();
    await me
      .toast(moved(name))
      .getByRole('button', { name: t('moves:undo') })
      .click();
    await me.chip(home, bot).waitFor(soon);
    await me.toast(moved(home)).waitFor(soon);

    step('move by keyboard: M, choose, Enter');
    await settled();
    await me.chip(home, bot).getByRole('link').focus();
    await page.keyboard.press('m');
    await me.dialog().getByRole('textbox').fill(name);
    await me
      .dialog()
      .getByRole('button', { name: part(name) })
      .press('Enter');
    await me.chip(name, bot).waitFor(soon);
    await me.toast(moved(name)).waitFor(soon);
    await settled();
    await moveByMenu(name, home);
  } else {
    step('move by menu, and undo');
    await moveByMenu(home, name);
    await me
      .toast(moved(name))
      .getByRole('button', { name: t('moves:undo') })
      .click();
    await me.chip(home, bot).waitFor(soon);
    await me.toast(moved(home)).waitFor(soon);
    await settled();
  }

  async function moveByMenu(from, to) {
    await me.chip(from, bot).getByRole('button').click();
    await page.getByRole('menuitem', { name: part(t('workers:board.moveBot')) }).click();
    await me
      .dialog()
      .getByRole('button', { name: part(to) })
      .click();
    await me.chip(to, bot).waitFor(soon);
    await me.toast(moved(to)).waitFor(soon);
    await settled();
  }

  step('search goes to a Worker by part of its name');
  await me.search(name.slice(2));
  await me.found(name).waitFor();
  if (me.phone) await me.found(name).click();
  else {
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
  }
  await me.heading(name).waitFor();
  assert.equal(new URL(page.url()).pathname, workerUrl);

  step('a resize says beforehand what it does, and does it');
  await me.tab(t('workers:tab.settings'));
  await page.getByRole('radio', { name: part(t('workers:size.preset.standard')) }).click();
  await page.getByText(t('workers:resize.effect.live')).waitFor();
  await me.button(t('workers:resize.action')).click();
  await me.toast(t('workers:resize.done.live')).waitFor();
  const resized = await me.until(`${tenant}/workers/${worker}`, (w) => w.status.applied_size?.memory_mib === 512);
  assert.equal(resized.status.state, 'running');

  step('two people at once: a conflict, and a choice');
  const label = me.field(t('workers:new.nameLabel'));
  await label.fill(`${name} mine`);
  await me.api('PATCH', `${tenant}/workers/${worker}`, { name: `${name} theirs` });
  await page.locator('h1', { hasText: 'theirs' }).waitFor();
  assert.equal(await label.inputValue(), `${name} mine`);
  await me.button(t('ui:save')).click();
  await me.dialog(t('ui:conflict.title')).waitFor();
  await page.getByRole('cell', { name: `${name} theirs` }).waitFor();
  await me.button(t('ui:conflict.keepMine')).click();
  await page.locator('h1', { hasText: 'mine' }).waitFor();

  step('a log-in that ends in the middle of a form loses nothing');
  await label.fill(`${name} after`);
  await me.context.clearCookies();
  await me.button(t('ui:save')).click();
  const again = me.dialog(t('session:ended.title'));
  await again.locator('input[type=password]').fill('not the password');
  await again.getByRole('button', { name: t('session:ended.continue') }).click();
  await again.getByRole('alert').waitFor();
  await again.locator('input[type=password]').fill('demonstracao');
  await again.getByRole('button', { name: t('session:ended.continue') }).click();
  await again.waitFor({ state: 'hidden' });
  assert.equal(await label.inputValue(), `${name} after`);
  await me.button(t('ui:save')).click();
  await page.locator('h1', { hasText: `${name} after` }).waitFor();

  step('a broken stream shows, and what was missed arrives when it is back');
  await me.context.setOffline(true);
  const live = page.locator('[data-state][role=status]');
  await page.locator('[data-state=offline][role=status]').waitFor();
  const other = await arrive();
  await other.signIn(client.email);
  await other.api('PATCH', `${tenant}/workers/${worker}`, { name: `${name} meanwhile` });
  await me.context.setOffline(false);
  await page.locator('h1', { hasText: 'meanwhile' }).waitFor(soon);
  assert.equal(await live.getAttribute('data-state'), 'live');

  step('usage is drawn, and exported as CSV');
  await me.tab(t('workers:tab.usage'));
  await page.locator('.recharts-surface').nth(3).waitFor({ timeout: 150_000 });
  const usage = await me.download(() => me.link(t('usage:export')).click());
  assert.match(usage.name, /\.csv$/);
  assert.ok(usage.text.split('\n').length > 1 && usage.text.includes(','), usage.text.slice(0, 200));

  step('events tell what happened');
  await me.tab(t('workers:tab.events'));
  await page.getByText(t('events:kind.worker_resize_requested', { name })).first().waitFor();

  step('stop and start');
  await me.button(t('workers:action.stop')).click();
  await page.locator('h1', { hasText: t('status:worker.stopped') }).waitFor(soon);
  await me.button(t('workers:action.start')).click();
  await page.locator('h1', { hasText: t('status:worker.running') }).waitFor(soon);

  step('delete asks for the name');
  await me.more(t('workers:action.delete'));
  const sure = me.dialog();
  await sure.getByRole('textbox').fill(name);
  assert.equal(await sure.getByRole('button', { name: t('workers:delete.action') }).isDisabled(), true);
  await sure.getByRole('textbox').fill(`${name} meanwhile`);
  await sure.getByRole('button', { name: t('workers:delete.action') }).click();
  await page.waitForURL((url) => url.href.replace(base, '') === `/t/${client.slug}/workers`);
  await me.box(`${name} meanwhile`).waitFor({ state: 'detached', ...soon });

  step('sign out, and nothing is left');
  await me.button(part(t('app:userMenu', { name: '' }).trim())).click();
  await me.button(t('app:signOut')).click();
  await page.waitForURL(/\/login/);
  await me.open(`/t/${client.slug}`);
  await page.waitForURL(/\/login\?next=/);
}
