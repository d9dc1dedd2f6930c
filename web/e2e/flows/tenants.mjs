import assert from 'node:assert/strict';
import { part, soon } from '../browser.mjs';

/** A person of two companies: the way from one to the other, and nothing of the one seen in the other. */
export async function tenants({ size, step, arrive }) {
  const [a, b] = [
    { slug: 'cliente-a', name: 'Cliente A', email: 'ana@cliente-a.example', home: 'Operações' },
    { slug: 'cliente-b', name: 'Cliente B', email: 'bruno@cliente-b.example', home: 'Geral' },
  ];
  const stamp = `${size}${Date.now() % 100_000}`;
  const email = `paula.${stamp}@contabilidade.example`;
  const password = 'a password of ten';
  const paula = await arrive();
  const { page, t } = paula;

  step('two companies invite the same person: one as an administrator, one for a single Worker');
  for (const client of [a, b]) {
    client.owner = await arrive();
    await client.owner.signIn(client.email, undefined, `/t/${client.slug}/team`);
    client.things = [
      ...(await client.owner.api('GET', `/tenants/${client.slug}/workers`)).items,
      ...(await client.owner.api('GET', `/tenants/${client.slug}/bots`)).items,
    ];
  }
  const invite = async ({ owner }, access) => {
    await owner.button(t('team:invite')).click();
    const dialog = owner.dialog();
    await owner.field(part(t('team:email'))).fill(email);
    await access(dialog);
    await owner.button(t('team:inviteAction')).click();
    const link = owner.dialog(t('team:invited.title')).getByRole('textbox');
    const url = await link.inputValue();
    await owner.button(t('team:invited.done')).click();
    return url;
  };
  const toB = await invite(b, (dialog) => dialog.getByRole('radio', { name: part(t('tenants:role.admin')) }).click());
  const toA = await invite(a, async (dialog) => {
    await dialog.getByRole('switch').click();
    await a.owner.choose(dialog.getByLabel(t('team:limitWorkers')).first(), a.home);
    await a.owner.page.keyboard.press('Escape');
  });

  step('a member of one company has nothing to switch to');
  await paula.open(toB);
  await paula.field(t('session:invitation.name')).fill(`Paula ${stamp}`);
  await page.locator('input[type=password]').fill(password);
  await paula.button(t('session:invitation.submit')).click();
  await page.waitForURL(new RegExp(`/t/${b.slug}$`));
  await paula.heading(t('overview:title')).waitFor();
  const drawer = async () => {
    if (paula.phone) await paula.button(t('app:menu')).click();
  };
  const switcher = paula.button(part(t('tenants:switch'))).filter({ visible: true });
  await drawer();
  const place = page.getByText(b.name).filter({ visible: true }).first();
  await place.waitFor();
  assert.equal(await switcher.count(), 0);

  step('the second invitation: the password of the account, and then the company that was joined');
  await paula.open(toA);
  await page.locator('input[type=password]').fill('not the password');
  await paula.button(t('session:invitation.submit')).click();
  await page.getByText(t('session:invitation.wrong')).waitFor();
  await page.locator('input[type=password]').fill(password);
  await paula.button(t('session:invitation.submit')).click();
  await page.waitForURL(new RegExp(`/t/${a.slug}$`));

  /** Nothing that the page holds, shown or not, is of these things. */
  const nothingOf = async (things, where) => {
    await page.waitForFunction(() => !document.querySelector('.mantine-Skeleton-root'));
    const text = await page.content();
    for (const { id, name } of things)
      for (const word of [id, name]) assert.ok(!text.includes(word), `${where}: ${word}`);
  };
  const go = async (label) => {
    await paula.go(label);
    await page.locator('main').getByRole('heading', { level: 1 }).waitFor();
  };
  /** Looks for what must not be found, by name and by id. */
  const notFound = async (things) => {
    const box = page.getByPlaceholder(t('search:placeholder'));
    for (const { id, name } of things) {
      for (const word of [id, name]) {
        await box.fill(word);
        const actions = page.locator('.mantine-Spotlight-action');
        await page.getByText(t('search:nothing')).or(actions).first().waitFor();
        for (const text of await actions.allInnerTexts()) assert.ok(!text.includes(name), `search found ${name}`);
      }
    }
    await page.keyboard.press('Escape');
    await box.waitFor({ state: 'detached' });
  };
  /** Every page of the company shows what is the person's there, and nothing of what isn't. */
  const walk = async (client, own, others) => {
    await go(t('app:nav.workers'));
    await paula.box(own.worker.name).waitFor(soon);
    await nothingOf(others, `${client.name}: board`);
    await go(t('app:nav.bots'));
    await paula.link(own.bot.name).waitFor();
    await nothingOf(others, `${client.name}: bots`);
    await go(t('app:nav.activity'));
    await page.locator('main').getByRole('listitem').first().waitFor();
    await nothingOf(others, `${client.name}: activity`);
    await go(t('app:nav.secrets'));
    await nothingOf(others, `${client.name}: secrets`);
    await go(t('app:nav.overview'));
    await nothingOf(others, `${client.name}: overview`);
    await page.getByRole('combobox', { name: t('workers:selector.label') }).click();
    await page.getByRole('option', { name: own.worker.name }).waitFor();
    await nothingOf(others, `${client.name}: selector`);
    await page.keyboard.press('Escape');
    await paula.search(own.bot.name);
    await paula.found(own.bot.name).first().waitFor();
    await nothingOf(others, `${client.name}: search`);
    await notFound(others);
  };
  const ownOf = ({ things, home }) => {
    const worker = things.find((x) => x.name === home);
    return { worker, bot: things.find((x) => x.worker_id === worker.id) };
  };
  const [inA, inB] = [ownOf(a), ownOf(b)];
  const limited = a.things.filter((x) => x !== inA.worker && x.worker_id !== inA.worker.id);
  assert.ok(limited.length >= 4);

  step('limited to one Worker in one company: nothing else of it, nothing of the other');
  await walk(a, inA, [...limited, ...b.things]);

  step('the switcher says where one is and as what, and goes to the other company');
  const switchTo = async (client) => {
    await drawer();
    await switcher.click();
    await page.getByRole('menuitem', { name: part(client.name) }).click();
    await page.waitForURL(new RegExp(`/t/${client.slug}$`));
    await paula.heading(t('overview:title')).waitFor();
  };
  await drawer();
  assert.match(await switcher.textContent(), new RegExp(`${a.name}[^]*${t('tenants:role.operator')}`));
  await switcher.click();
  const choices = page.getByRole('menuitem');
  await choices.nth(1).waitFor();
  assert.deepEqual(await choices.allInnerTexts(), [a.name, b.name]);
  await choices
    .first()
    .getByRole('img', { name: t('tenants:current') })
    .waitFor();
  await choices.nth(1).click();
  await page.waitForURL(new RegExp(`/t/${b.slug}$`));
  await paula.heading(t('overview:title')).waitFor();

  step('in the other company the person sees all of it, and nothing of the first');
  await walk(b, inB, a.things);
  await go(t('app:nav.workers'));
  await paula.link(t('workers:create')).waitFor();

  step('a Worker that was chosen is left behind with its company');
  await paula.choose(page.getByRole('combobox', { name: t('workers:selector.label') }), b.home);
  await page.waitForURL(new RegExp(`worker=${inB.worker.id}`));
  await switchTo(a);
  assert.equal(new URL(page.url()).search, '');
  await nothingOf([...limited, ...b.things], `${a.name}, back again`);
  await go(t('app:nav.workers'));
  await paula.box(a.home).waitFor();
  assert.equal(await paula.link(t('workers:create')).count(), 0);

  step('the browser goes back to the other company, and forward');
  await page.goBack();
  await page.goBack();
  await page.waitForURL(new RegExp(`/t/${b.slug}`));
  await paula.box(b.home).waitFor();
  await nothingOf(a.things, `${b.name}, by the browser's way back`);
  await page.goForward();
  await page.waitForURL(new RegExp(`/t/${a.slug}`));
  await nothingOf([...limited, ...b.things], `${a.name}, by the browser's way forward`);

  step("one company's things aren't there at the other's addresses");
  for (const [there, thing] of [
    [a, inB],
    [b, { worker: limited.find((x) => !x.worker_id), bot: limited.find((x) => x.worker_id) }],
    [a, { worker: limited.find((x) => !x.worker_id), bot: limited.find((x) => x.worker_id) }],
  ]) {
    await paula.open(`/t/${there.slug}/workers/${thing.worker.id}`);
    await paula.heading(t('workers:gone.title')).waitFor();
    await paula.open(`/t/${there.slug}/bots/${thing.bot.id}`);
    await paula.heading(t('bots:gone.title')).waitFor();
    await nothingOf([{ ...thing.bot, id: thing.bot.name }], `${there.slug}, an address of another`);
  }

  step('search goes to the other company too');
  await paula.search(b.name);
  await paula.found(b.name).click();
  await page.waitForURL(new RegExp(`/t/${b.slug}$`));
  await paula.heading(t('overview:title')).waitFor();

  step('the start leads to the company where one was last');
  await paula.open('/');
  await page.waitForURL(new RegExp(`/t/${b.slug}$`));
  await switchTo(a);
  await paula.open('/');
  await page.waitForURL(new RegExp(`/t/${a.slug}$`));

  step('whoever is taken out of a company while in it still finds the way to the other');
  const member = a.owner.page
    .getByRole('region', { name: part(t('team:members')) })
    .getByRole('listitem')
    .filter({ hasText: email }); // prettier-ignore
  await member.getByRole('button', { name: t('team:actionsOf', { name: `Paula ${stamp}` }) }).click();
  await a.owner.page.getByRole('menuitem', { name: t('team:remove') }).click();
  await a.owner
    .dialog()
    .getByRole('button', { name: t('team:remove') })
    .click();
  await paula.heading(t('tenants:gone.title')).waitFor(soon);
  await nothingOf(a.things, 'out of the company');
  await paula.search(inA.bot.name);
  await notFound([inA.worker, inA.bot]);
  await switchTo(b);
  await nothingOf(a.things, 'in the company that is left');
  await drawer();
  await place.waitFor();
  assert.equal(await switcher.count(), 0);
  const { items } = await b.owner.api('GET', `/tenants/${b.slug}/members`);
  await b.owner.api('DELETE', `/tenants/${b.slug}/members/${items.find((m) => m.email === email).user_id}`);
}
