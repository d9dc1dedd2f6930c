import assert from 'node:assert/strict';
import { part, soon } from '../browser.mjs';

/** The team: an invitation accepted, roles, a limit to one Worker as that person sees it, tokens, the activity log. */
export async function team({ size, step, arrive }) {
  const client =
    size === 'desktop'
      ? { slug: 'cliente-a', email: 'ana@cliente-a.example', home: 'Operações', other: 'Financeiro/Tributário' }
      : { slug: 'cliente-b', email: 'bruno@cliente-b.example', home: 'Geral', other: 'Financeiro' };
  const tenant = `/tenants/${client.slug}`;
  const owner = await arrive();
  const { page, t } = owner;
  const stamp = `${size}${Date.now() % 100_000}`;
  const email = `diego.${stamp}@example.com`;
  const password = 'a password of ten';
  const called = `Diego ${stamp}`;
  await owner.signIn(client.email, undefined, `/t/${client.slug}/team`);
  await owner.heading(t('team:title')).waitFor();

  step('an invitation: a wrong address is refused, the link is shown once');
  await owner.button(t('team:invite')).click();
  await owner.field(part(t('team:email'))).fill('diego');
  await owner.button(t('team:inviteAction')).click();
  await page.getByText(t('team:emailWrong')).waitFor();
  await owner.field(part(t('team:email'))).fill(email);
  await owner.button(t('team:inviteAction')).click();
  const made = owner.dialog(t('team:invited.title'));
  await made.getByRole('button', { name: `${t('ui:copy')}: ${t('team:invited.link')}` }).click();
  const link = await owner.clipboard();
  await made.getByRole('button', { name: t('team:invited.done') }).click();
  await page
    .getByRole('region', { name: part(t('team:invitations')) })
    .getByText(email)
    .waitFor();

  step('the invitation is accepted by a new person');
  const diego = await arrive();
  await diego.open(link);
  await diego.field(t('session:invitation.name')).fill(called);
  await diego.page.locator('input[type=password]').fill('short');
  await diego.button(t('session:invitation.submit')).click();
  await diego.page.getByText(t('session:invitation.short', { count: 10 })).waitFor();
  await diego.page.locator('input[type=password]').fill(password);
  await diego.button(t('session:invitation.submit')).click();
  await diego.page.waitForURL(new RegExp(`/t/${client.slug}$`));
  await diego.heading(t('overview:title')).waitFor();

  step('the team sees the new member without a reload; the invitation is used up');
  const member = page
    .getByRole('region', { name: part(t('team:members')) })
    .getByRole('listitem')
    .filter({ hasText: email });
  await member.waitFor();
  const stranger = await arrive();
  await stranger.open(link);
  await stranger.page.locator('input[type=password]').fill(password);
  await stranger.button(t('session:invitation.submit')).click();
  await stranger.page.getByText(t('session:invitation.gone')).waitFor();

  step('an operator is shown no way to create a Worker; an administrator is');
  await diego.go(t('app:nav.workers'));
  await diego.box(client.other).waitFor();
  assert.equal(await diego.link(t('workers:create')).count(), 0);
  await change(async (dialog) => dialog.getByRole('radio', { name: part(t('tenants:role.admin')) }).click());
  await diego.link(t('workers:create')).waitFor();

  step('two people change a membership at once: a conflict, and a choice');
  await menu(t('team:edit'));
  const edit = owner.dialog(t('team:editOf', { name: called }));
  await edit.getByRole('radio', { name: part(t('tenants:role.viewer')) }).click();
  const { items: members } = await owner.api('GET', `${tenant}/members`);
  const { user_id } = members.find((m) => m.email === email);
  await owner.api('PATCH', `${tenant}/members/${user_id}`, { role: 'operator', worker_ids: [] });
  await edit.getByRole('button', { name: t('ui:save') }).click();
  const conflict = owner.dialog(t('ui:conflict.title'));
  await conflict.getByRole('cell', { name: t('tenants:role.operator') }).waitFor();
  await conflict.getByRole('button', { name: t('ui:conflict.keepMine') }).click();
  await conflict.waitFor({ state: 'detached' });
  await member.getByText(t('tenants:role.viewer')).waitFor();

  step('limited to one Worker, the person sees nothing else anywhere');
  await change(async (dialog) => {
    await dialog.getByRole('radio', { name: part(t('tenants:role.operator')) }).click();
    await dialog.getByRole('switch').click();
    await dialog.getByRole('button', { name: t('ui:save') }).click();
    await dialog.getByText(t('team:limitNone')).waitFor();
    await owner.choose(dialog.getByLabel(t('team:limitWorkers')).first(), client.home);
    await page.keyboard.press('Escape');
  });
  const { items: bots } = await owner.api('GET', `${tenant}/bots`);
  const { items: workers } = await owner.api('GET', `${tenant}/workers`);
  const home = workers.find((w) => w.name === client.home);
  const hidden = [...workers.filter((w) => w !== home), ...bots.filter((b) => b.worker_id !== home.id)];
  assert.ok(hidden.length >= 2);
  await diego.box(client.other).waitFor({ state: 'detached' }); // without a reload
  await diego.page.reload();
  await diego.box(client.home).waitFor();
  const sees = async (where) => {
    const text = await diego.page.content();
    for (const { name } of hidden) assert.ok(!text.includes(name), `${where}: ${name}`);
  };
  const nothingElse = async (where) => {
    await diego.page.waitForFunction(() => !document.querySelector('.mantine-Skeleton-root'));
    await sees(where);
  };
  await nothingElse('board');
  await diego.go(t('app:nav.overview'));
  await nothingElse('overview');
  await diego.go(t('app:nav.bots'));
  await diego.link(bots.find((b) => b.worker_id === home.id).name).waitFor();
  await nothingElse('bots');
  await diego.go(t('app:nav.activity'));
  await diego.page.locator('main').getByRole('listitem').first().waitFor();
  await nothingElse('activity');
  await diego.page.getByRole('combobox', { name: t('workers:selector.label') }).click();
  await diego.page.getByRole('option', { name: client.home }).waitFor();
  await nothingElse('selector');
  await diego.page.keyboard.press('Escape');
  await diego.search(client.home.slice(0, 4));
  await diego.found(client.home).first().waitFor();
  await nothingElse('search');
  for (const { name } of hidden) {
    await diego.page.getByPlaceholder(t('search:placeholder')).fill(name);
    await diego.page.getByText(t('search:nothing')).waitFor();
  }
  await diego.page.keyboard.press('Escape');
  for (const thing of hidden) {
    const kind = thing.worker_id ? 'bots' : 'workers';
    await diego.open(`/t/${client.slug}/${kind}/${thing.id}`);
    await diego.heading(t(`${kind}:gone.title`)).waitFor();
    await sees(`address of ${thing.name}`);
    await assert.rejects(diego.api('GET', `${tenant}/${kind}/${thing.id}`), /404/);
  }
  await diego.open(`/t/${client.slug}/team`);
  await diego.page.getByText(t('team:limitedText')).waitFor();

  step('an API token works, is shown once, and is ended');
  await owner.open(`/t/${client.slug}/tokens`);
  await owner.button(t('team:tokens.create')).first().click();
  await owner
    .dialog()
    .getByRole('button', { name: t('team:tokens.create') })
    .click();
  await page.getByText(t('team:tokens.nameMissing')).waitFor();
  await owner
    .dialog()
    .getByRole('textbox', { name: part(t('team:tokens.name')) })
    .fill(`ERP ${stamp}`);
  await owner
    .dialog()
    .getByRole('button', { name: t('team:tokens.create') })
    .click();
  await owner.button(`${t('ui:copy')}: ${t('team:tokens.secret')}`).click();
  const secret = await owner.clipboard();
  const use = () =>
    fetch(`${new URL(page.url()).origin}/api/v1${tenant}/workers`, { headers: { Authorization: `Bearer ${secret}` } });
  assert.equal((await use()).status, 200);
  await owner.button(t('team:tokens.done')).click();
  assert.ok(!(await page.content()).includes(secret));
  await owner.button(t('team:tokens.endOf', { name: `ERP ${stamp}` })).click();
  await owner
    .dialog()
    .getByRole('button', { name: t('team:tokens.end') })
    .click();
  await owner.toast(t('team:tokens.ended', { name: `ERP ${stamp}` })).waitFor();
  assert.equal((await use()).status, 401);

  step('the activity says who did what, is filtered, and is exported as filtered');
  await owner.go(t('app:nav.activity'));
  await owner.field(t('events:page.search')).fill(`ERP ${stamp}`);
  const lines = page.locator('main').getByRole('listitem');
  await page.waitForURL(/q=/);
  await lines.filter({ hasText: t('events:kind.token_deleted', { name: `ERP ${stamp}` }) }).waitFor();
  await lines.nth(2).waitFor({ state: 'detached' });
  assert.equal(await lines.count(), 2, 'made and ended');
  const { text } = await owner.download(() => owner.button(t('events:page.export')).click());
  assert.equal(text.trim().split('\n').length, 3, text);
  assert.ok(text.includes(t('events:kind.token_created', { name: `ERP ${stamp}` })), text);

  step('by whom, and about what');
  await owner.field(t('events:page.search')).fill('');
  await owner.choose(page.getByRole('combobox', { name: t('events:page.who') }), called);
  await page.waitForURL(/user=usr_/);
  await lines.filter({ hasText: t('events:kind.member_joined', { email }) }).waitFor();
  await owner.choose(page.getByRole('combobox', { name: t('events:page.area') }), t('events:area.secret'));
  await page.getByText(t('ui:empty.filtered')).waitFor();
  await owner.button(t('ui:empty.clear')).click();
  await lines.nth(5).waitFor();

  step('a member who is removed is out at once');
  await owner.go(t('app:nav.team'));
  await menu(t('team:remove'));
  await owner
    .dialog()
    .getByRole('button', { name: t('team:remove') })
    .click();
  await member.waitFor({ state: 'detached' });
  await diego.open(`/t/${client.slug}`);
  await diego.heading(t('tenants:gone.title')).waitFor(soon);

  async function menu(item) {
    await member.getByRole('button', { name: t('team:actionsOf', { name: called }) }).click();
    await page.getByRole('menuitem', { name: item }).click();
  }

  async function change(act) {
    await menu(t('team:edit'));
    const dialog = owner.dialog(t('team:editOf', { name: called }));
    await act(dialog);
    await dialog.getByRole('button', { name: t('ui:save') }).click();
    await dialog.waitFor({ state: 'detached' });
  }
}
