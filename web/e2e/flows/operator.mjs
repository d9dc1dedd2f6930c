import assert from 'node:assert/strict';
import { part } from '../browser.mjs';

/** The operator of the platform: a client from its creation to its end, as the operator and the client's owner see it. */
export async function operator({ size, step, arrive }) {
  const me = await arrive();
  const { page, t } = me;
  const stamp = `${size} ${Date.now() % 100_000}`;
  const name = `Padaria ${stamp}`;
  await me.signIn('operador@baas.example');
  await me.heading(t('operator:tenants.title')).waitFor();

  step('create a client, and invite its owner');
  await me.button(t('operator:tenants.create')).first().click();
  await me
    .dialog()
    .getByRole('button', { name: t('operator:tenants.create') })
    .click();
  await page.getByText(t('operator:create.nameMissing')).waitFor();
  await me
    .dialog()
    .getByRole('textbox', { name: part(t('operator:create.name')) })
    .first()
    .fill(name);
  await me
    .dialog()
    .getByRole('button', { name: t('operator:tenants.create') })
    .click();
  await me.heading(name).waitFor();
  const tenantPage = page.url();
  const id = tenantPage.match(/ten_\w+/)[0];
  const { slug } = await me.api('GET', `/tenants/${id}`);
  const email = `dona@${slug}.example`;
  await me.field(part(t('operator:owner.email'))).fill(email);
  await me.button(t('operator:owner.invite')).click();
  const link = me.field(t('operator:owner.link', { email }));
  await link.waitFor();
  const owner = await arrive();
  await owner.open(await link.inputValue());
  await owner.field(t('session:invitation.name')).fill('Dona Rita');
  await owner.page.locator('input[type=password]').fill('a password of ten');
  await owner.button(t('session:invitation.submit')).click();

  step('the new owner is told the first step');
  await owner.page.getByText(t('overview:first.title')).waitFor();

  step('another plan');
  await me.choose(page.getByRole('combobox', { name: t('operator:column.plan') }), 'Pro');
  await me.button(t('ui:save')).click();
  await me.toast(t('ui:saved')).waitFor();
  assert.equal((await me.api('GET', `/tenants/${id}`)).plan, 'PRO');

  step('suspend: the client is told, and may change nothing; resume');
  await me.button(t('operator:tenant.suspend')).click();
  await me
    .dialog()
    .getByRole('button', { name: t('operator:tenant.suspend') })
    .click();
  await page.locator('h1', { hasText: t('operator:status.suspended') }).waitFor();
  await owner.page.reload();
  await owner.page.getByText(t('app:suspended')).waitFor();
  assert.equal(await owner.link(t('overview:first.action')).count(), 0);
  await assert.rejects(owner.api('POST', `/tenants/${slug}/workers`, { name: 'No' }), /40[39]/);
  await me.button(t('operator:tenant.resume')).click();
  await me
    .dialog()
    .getByRole('button', { name: t('operator:tenant.resume') })
    .click();
  await page.locator('h1', { hasText: t('operator:status.active') }).waitFor();

  step('search among the clients');
  await me.open('/operator');
  await me.field(t('operator:tenants.search')).fill(stamp);
  await me.link(name).waitFor();
  await me.link('Cliente A').waitFor({ state: 'detached' });

  step('a plan is made, and is there for clients');
  const code = `P${Date.now() % 100_000}`;
  await me.open('/operator/plans');
  await me.button(t('operator:plans.create')).first().click();
  await me
    .dialog()
    .getByRole('textbox', { name: part(t('operator:plans.id')) })
    .fill(code);
  await me
    .dialog()
    .getByRole('textbox', { name: part(t('operator:column.name')) })
    .fill(`Plano ${code}`);
  await me.dialog().locator('button[type=submit]').click();
  await page.getByText(`Plano ${code}`).first().waitFor();
  await me.open(new URL(tenantPage).pathname);
  await me.choose(page.getByRole('combobox', { name: t('operator:column.plan') }), `Plano ${code}`);

  step('the platform says how it is');
  await me.open('/operator/platform');
  await page.getByText('Docker').first().waitFor();

  step('nothing of what is inside a client is shown, and no way leads there');
  assert.ok(!(await page.content()).includes('Rastreio de Pedidos'));
  await assert.rejects(me.api('GET', '/tenants/cliente-a/bots'), /40[34]/);

  step('delete the client');
  await me.open(new URL(tenantPage).pathname);
  await me.button(t('operator:tenant.delete')).click();
  await me.dialog().getByRole('textbox').fill(name);
  await me
    .dialog()
    .getByRole('button', { name: t('operator:tenant.deleteAction') })
    .click();
  await page.waitForURL(/\/operator$/);
  await me.link(name).waitFor({ state: 'detached' });
}
