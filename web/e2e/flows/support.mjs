import assert from 'node:assert/strict';
import { part, soon } from '../browser.mjs';

/** Support mode: how an operator of the platform gets into a company, what its people see of it, and both ways out. */
export async function support({ size, step, arrive }) {
  const client =
    size === 'desktop'
      ? { slug: 'cliente-a', name: 'Cliente A', email: 'ana@cliente-a.example', bot: 'Rastreio de Pedidos' }
      : { slug: 'cliente-b', name: 'Cliente B', email: 'bruno@cliente-b.example', bot: 'Recepção' };
  const tenant = `/tenants/${client.slug}`;
  const stamp = `${size} ${Date.now() % 100_000}`;
  const reason = `Ticket ${stamp}: the bot does not answer`;
  const owner = await arrive();
  const me = await arrive();
  const { page, t } = me;
  const name = 'Operador';
  const banner = (person) => person.page.getByRole('region', { name: t('support:banner.label') });
  const outside = new RegExp(`/operator/tenants/${client.slug}$`);
  const text = (key, values) => new RegExp(part(t(key, { time: '@', ...values })).source.replace('@', '.+'));

  await owner.signIn(client.email, undefined, `/t/${client.slug}/bots`);
  await owner.link(client.bot).waitFor();
  const bot = (await owner.api('GET', `${tenant}/bots`)).items.find((b) => b.name === client.bot);
  for (const s of (await owner.api('GET', `${tenant}/support?active=true`)).items) // of a run that was broken off
    await owner.api('DELETE', `${tenant}/support/${s.id}`);

  step('without a support session no page of a company opens, and the way in is there instead');
  await me.signIn('operador@baas.example');
  for (const path of ['', '/bots', `/bots/${bot.id}?tab=logs`, '/activity', '/secrets']) {
    await me.open(`/t/${client.slug}${path}`);
    await page.waitForURL(outside);
    await page.getByText(t('support:banner.over')).waitFor();
    await me.heading(client.name).waitFor();
    await me.button(t('support:panel.open')).waitFor();
    assert.ok(!(await page.content()).includes(client.bot), `${path}: the operator sees a bot`);
  }
  for (const path of ['/bots', '/workers', `/bots/${bot.id}`, '/events', '/members', '/secrets'])
    await assert.rejects(me.api('GET', tenant + path), /403 .*support/, path);
  assert.equal(await banner(owner).count(), 0);

  step('a session wants a reason');
  await me.button(t('support:panel.open')).click();
  await page.getByText(t('support:panel.reasonMissing')).waitFor();
  await me.field(part(t('support:panel.reason'))).fill(reason);
  await me.choose(
    page.getByRole('combobox', { name: t('support:panel.duration') }),
    t('support:panel.minutes', { count: 30 }),
  );
  await me.button(t('support:panel.open')).click();
  await page.waitForURL(new RegExp(`/t/${client.slug}$`));

  step('the operator is inside, and told that it is seen');
  await me.heading(t('overview:title')).waitFor();
  await banner(me).getByText(text('support:banner.mine')).waitFor();
  await banner(me).getByText(t('support:banner.reason', { reason })).waitFor();

  step('the company sees who is there, why and until when, without a reload');
  await banner(owner).getByText(text('support:banner.other', { name })).waitFor(soon);
  await banner(owner).getByText(t('support:banner.reason', { reason })).waitFor();
  const [{ expires_at, created_at }] = (await owner.api('GET', `${tenant}/support?active=true`)).items;
  assert.equal(Math.round((Date.parse(expires_at) - Date.parse(created_at)) / 60_000), 30);

  step('what would outlast the session, or is the company\'s own, is not offered'); // biome-ignore format: one line
  if (me.phone) await me.button(t('app:menu')).click();
  const navigation = page.getByRole('navigation', { name: t('app:navigation') }).filter({ visible: true });
  await navigation.getByRole('link', { name: part(t('app:nav.bots')) }).waitFor();
  assert.equal(await navigation.getByRole('link', { name: part(t('app:nav.tokens')) }).count(), 0);
  await navigation.getByRole('link', { name: part(t('app:nav.bots')) }).click();
  await me.heading(t('bots:title')).waitFor();
  await me.link(client.bot).click();
  await page.locator('h1', { hasText: t('status:bot.running') }).waitFor(soon);
  await me.button(t('ui:more')).click();
  await page.getByRole('menuitem', { name: t('bots:action.duplicate') }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: t('bots:action.delete') }).count(), 0);
  await page.keyboard.press('Escape');
  await me.search(t('app:nav.tokens'));
  await page.getByText(t('search:nothing')).waitFor();
  await page.keyboard.press('Escape');

  step('the operator does something; the company sees it, and by whom');
  const before = (await owner.api('GET', `${tenant}/bots/${bot.id}`)).status;
  await me.button(t('bots:action.restart')).click();
  await owner.go(t('app:nav.activity'));
  const lines = owner.page.locator('main').getByRole('listitem');
  const did = lines.filter({ hasText: t('events:kind.bot_restart_requested', { name: client.bot }) }).first();
  await did.waitFor();
  await did.getByText(part(name)).first().waitFor();
  await lines
    .filter({ hasText: t('events:kind.support_opened', { operator: name, reason }) })
    .first()
    .waitFor();
  await owner.until(`${tenant}/bots/${bot.id}`, (b) => b.status.state === 'running' && b.status.since !== before.since);

  step('the operator ends it, and is out');
  await banner(me)
    .getByRole('button', { name: t('support:banner.end') })
    .click();
  await page.waitForURL(outside);
  await banner(owner).waitFor({ state: 'detached' });
  await lines
    .filter({ hasText: t('events:kind.support_ended', { operator: name }) })
    .first()
    .waitFor();
  const history = page.getByRole('listitem').filter({ hasText: reason });
  await history.getByText(text('support:panel.byPerson')).waitFor();
  await assert.rejects(me.api('GET', `${tenant}/bots`), /403 .*support/);
  await page.goBack();
  await page.waitForURL(outside);
  await me.heading(client.name).waitFor();
  assert.ok(!(await page.locator('main').textContent()).includes(client.bot));

  step('in another session; somebody of the company without the right to end it sees it as well');
  const again = `Again ${stamp}`;
  const invited = await owner.api('POST', `${tenant}/invitations`, {
    email: `vera.${stamp.replace(' ', '.')}@example.com`,
    role: 'viewer',
    worker_ids: [bot.worker_id],
  });
  const viewer = await arrive();
  await viewer.open(invited.url);
  await viewer.field(t('session:invitation.name')).fill(`Vera ${stamp}`);
  await viewer.page.locator('input[type=password]').fill('a password of ten');
  await viewer.button(t('session:invitation.submit')).click();
  await viewer.heading(t('overview:title')).waitFor();
  await me.field(part(t('support:panel.reason'))).fill(again);
  await me.button(t('support:panel.open')).click();
  await banner(me)
    .getByText(t('support:banner.reason', { reason: again }))
    .waitFor();
  await banner(viewer).getByText(text('support:banner.other', { name })).waitFor(soon);
  assert.equal(await banner(viewer).getByRole('button').count(), 0);
  await me.go(t('app:nav.bots'));
  await me.link(client.bot).click();
  await me.tab(t('bots:tab.logs'));

  step('the company ends it: asked first, and the operator is out at once, with the reason why');
  await banner(owner)
    .getByRole('button', { name: t('support:banner.end') })
    .click();
  const sure = owner.dialog(t('support:banner.endTitle'));
  await sure.getByText(t('support:banner.endText', { name })).waitFor();
  await sure.getByRole('button', { name: t('support:banner.cancel') }).click();
  await sure.waitFor({ state: 'detached' });
  await banner(owner).waitFor();
  await banner(owner)
    .getByRole('button', { name: t('support:banner.end') })
    .click();
  await sure.getByRole('button', { name: t('support:banner.end') }).click();
  await page.waitForURL(outside, soon);
  await page.getByText(t('support:banner.over')).waitFor();
  await banner(owner).waitFor({ state: 'detached' });
  await banner(viewer).waitFor({ state: 'detached' });
  assert.ok(!(await page.locator('main').textContent()).includes(client.bot));
  await page.getByRole('listitem').filter({ hasText: again }).getByText(text('support:panel.byPerson')).waitFor();

  const { items } = await owner.api('GET', `${tenant}/members`);
  const { user_id } = items.find((m) => m.name === `Vera ${stamp}`);
  await owner.api('DELETE', `${tenant}/members/${user_id}`);
}
