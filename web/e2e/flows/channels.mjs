import assert from 'node:assert/strict';
import { part, soon } from '../browser.mjs';
import { whatsapp as metaAPI, telegram as telegramAPI } from '../platforms.mjs';

/**
 * An assistant gets onto WhatsApp and Telegram, step by step and to the end: what is missing, the webhook's address, the
 * check that fails and says why. Where bots reach this machine, also the check that is well, and a customer's message.
 */
export async function channels({ size, step, arrive }) {
  const client =
    size === 'desktop'
      ? { slug: 'cliente-a', email: 'ana@cliente-a.example', home: 'Atendimento' }
      : { slug: 'cliente-b', email: 'bruno@cliente-b.example', home: 'Financeiro' };
  const me = await arrive();
  const { page, t } = me;
  const stamp = `${size}${Date.now() % 100_000}`;
  const name = `Canais ${stamp}`;
  const number = '106540352242922';
  const token = `EAAG${stamp}`;
  const appSecret = `app-secret-${stamp}`;
  await me.signIn(client.email, undefined, `/t/${client.slug}/bots/new?kind=assistant`);
  const local = (await me.api('GET', '/capabilities')).engine === 'process';

  step('from the new assistant the way leads to its channels');
  await me.field(t('bots:new.nameLabel')).fill(name);
  await me.choose(page.getByRole('combobox', { name: t('bots:new.worker') }), part(client.home));
  await me.button(t('bots:new.createAssistant')).click();
  await page.getByText(t('bots:created.title', { name })).waitFor();
  const bot = `/tenants/${client.slug}/bots/${page.url().match(/bot_\w+/)[0]}`;
  await me.link(t('bots:created.channels')).click();
  const whatsapp = page.getByRole('region', { name: 'WhatsApp' });
  const telegram = page.getByRole('region', { name: 'Telegram' });
  /** A text with whatever stands for a value in it. */
  const anyOf = (key, value) => new RegExp(part(t(key, { [value]: '@' })).source.replace('@', '.+'));
  const press = (region, label) => region.getByRole('button', { name: t(label), exact: true }).click();
  const says = (region) => region.getByRole('list', { name: anyOf('bots:check.answers', 'channel') });
  const wrong = (region, code, values) =>
    says(region)
      .getByRole('listitem')
      .filter({ has: page.getByRole('img', { name: t('bots:check.wrong') }) })
      .filter({ hasText: t(`bots:check.wrongs.${code}`, values) })
      .waitFor(soon);
  const well = (region, text) =>
    says(region)
      .getByRole('listitem')
      .filter({ has: page.getByRole('img', { name: t('bots:check.ok') }) })
      .filter({ hasText: text })
      .waitFor(soon);
  const running = () => page.locator('h1', { hasText: t('status:bot.running') }).waitFor(soon);
  await running();

  step('WhatsApp: each step says what is missing');
  await press(whatsapp, 'bots:channels.connect');
  assert.equal(await whatsapp.getByRole('listitem').count(), 4);
  await press(whatsapp, 'bots:channels.connect');
  await whatsapp.getByText(t('bots:whatsapp.numberWrong')).waitFor();
  assert.equal(await whatsapp.getByText(t('bots:whatsapp.missing'), { exact: true }).count(), 2);
  const fields = {
    number: me.field(part(t('bots:whatsapp.numberLabel'))),
    access: whatsapp.getByLabel(part(t('bots:whatsapp.access'))).first(),
    app: whatsapp.getByLabel(part(t('bots:whatsapp.secret'))).first(),
  };
  await fields.number.fill('+55 11 3000-0000');
  await fields.access.fill('not the token');
  await fields.app.fill(appSecret);
  await press(whatsapp, 'bots:channels.connect');
  await whatsapp.getByText(t('bots:whatsapp.numberWrong')).waitFor();
  await fields.number.fill(` ${number} `);
  await press(whatsapp, 'bots:channels.connect');

  step('the address and the word for Meta are there to copy, with a warning that nobody outside reaches it');
  const copy = async (region, label) => {
    await region.getByRole('button', { name: `${t('ui:copy')}: ${t(label)}` }).click();
    await region.getByRole('button', { name: t('ui:copied') }).waitFor();
    return me.clipboard();
  };
  const word = await copy(whatsapp, 'bots:whatsapp.verify');
  await whatsapp.getByRole('button', { name: t('ui:copied') }).waitFor({ state: 'detached' });
  const callback = await copy(whatsapp, 'bots:whatsapp.callback');
  assert.match(callback, /\/whatsapp$/);
  await whatsapp.getByText(t('bots:check.notPublic')).waitFor();

  step('Meta asks at the address, and gets its answer for this word only');
  const ask = (token) =>
    fetch(`${callback}?${new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': token, 'hub.challenge': '4711' })}`); // biome-ignore format: one address
  await running();
  assert.equal(await (await ask(word)).text(), '4711');
  assert.equal((await ask('another word')).status, 403);

  step('the check that fails says what is wrong and what to do');
  await press(whatsapp, 'bots:check.ask');
  await well(whatsapp, t('bots:check.well.secrets'));
  // Without a way to the internet nothing answers; with one, Meta doesn't know the token.
  await Promise.any([
    wrong(whatsapp, 'unreachable', { channel: 'WhatsApp' }),
    wrong(whatsapp, 'token_rejected', { channel: 'WhatsApp' }),
  ]);
  await press(whatsapp, 'bots:channels.done');
  await whatsapp.getByText(t('bots:channels.connected')).waitFor();
  await whatsapp.getByText(t('bots:check.running')).waitFor();
  await whatsapp.getByText(t('bots:check.notPublic')).waitFor();
  for (const secret of [word, appSecret, 'not the token'])
    assert.ok(!(await page.content()).includes(secret), 'a secret is shown again');

  if (local) {
    const meta = await metaAPI(number, token);
    const bots = await telegramAPI(`1234567:AAE-${stamp}-formed-like-a-token`);
    try {
      await throughLocal(meta, bots);
    } finally {
      meta.end();
      bots.end();
    }
  }

  step('disconnected, it takes no messages any more, and can be connected again');
  await press(whatsapp, 'bots:channels.disconnect');
  const sure = me.dialog(t('bots:channels.disconnectTitle', { channel: 'WhatsApp' }));
  await sure.getByRole('button', { name: t('bots:channels.disconnect') }).click();
  await sure.waitFor({ state: 'detached' });
  await whatsapp.getByRole('button', { name: t('bots:channels.connect') }).waitFor();
  await me.until(bot, (b) => b.status.state === 'running' && b.assistant.whatsapp === undefined);
  await running();
  assert.notEqual((await ask(word)).status, 200);
  await me.api('DELETE', `${bot}?confirm=${encodeURIComponent(name)}`);

  /** What a platform that answers adds; the bot asks at its address instead of that of the real one. */
  async function throughLocal(meta, bots) {
    const use = async (channel, base) => {
      const { assistant } = await me.api('GET', bot);
      await me.api('PATCH', bot, { assistant: { ...assistant, [channel]: { ...assistant[channel], api_base: base } } });
    };
    const connectAnew = async (fill) => {
      await press(whatsapp, 'bots:channels.setupAgain');
      await fill();
      await press(whatsapp, 'bots:channels.connect');
      await whatsapp.getByText(t('bots:whatsapp.subscribe')).waitFor(soon);
      await press(whatsapp, 'bots:check.ask');
    };

    step('Meta rejects the token; with the right one it does not know the number');
    await use('whatsapp', meta.base);
    await press(whatsapp, 'bots:check.ask');
    await wrong(whatsapp, 'token_rejected', { channel: 'WhatsApp' });
    await connectAnew(async () => {
      await fields.number.fill('999999');
      await fields.access.fill(token);
      await fields.app.fill(appSecret);
    });
    await wrong(whatsapp, 'number_unknown', { channel: 'WhatsApp' });
    await press(whatsapp, 'bots:channels.done');

    step('with the right number all is well');
    await connectAnew(async () => {
      assert.equal(await fields.number.inputValue(), '999999');
      await fields.number.fill(number);
      await fields.access.fill(token);
      await fields.app.fill(appSecret);
    });
    await well(whatsapp, t('bots:check.well.named', { channel: 'WhatsApp', account: '+55 11 3000-0000 Padaria' }));
    await press(whatsapp, 'bots:channels.done');
    await running();

    step('what a customer writes on WhatsApp is answered there; what Meta did not sign is not');
    assert.equal((await meta.says(callback, appSecret, `oi ${stamp}`)).status, 200);
    await meta.sent.until((m) => m.to === '5521999990000' && m.text?.body.includes(`oi ${stamp}`));
    assert.equal(Math.floor((await meta.says(callback, 'another secret', 'forged')).status / 100), 4);
    assert.ok(!JSON.stringify(meta.sent.messages).includes('forged'));

    step('Telegram: connected with a token that it does not know');
    await press(telegram, 'bots:channels.connect');
    const field = telegram.getByLabel(part(t('bots:telegram.tokenLabel'))).first();
    await field.fill(`7654321:AAE-${stamp}-of-another-bot`);
    await press(telegram, 'bots:channels.connect');
    await telegram.getByText(t('bots:telegram.registerText')).waitFor(soon);
    await press(telegram, 'bots:channels.done');
    await use('telegram', bots.base);
    await press(telegram, 'bots:check.ask');
    await wrong(telegram, 'token_rejected', { channel: 'Telegram' });

    step('with the right one Telegram is told where to send messages, by one click');
    await press(telegram, 'bots:channels.setupAgain');
    await field.fill(`1234567:AAE-${stamp}-formed-like-a-token`);
    await press(telegram, 'bots:channels.connect');
    await telegram.getByText(t('bots:telegram.registerText')).waitFor(soon);
    const webhook = await copy(telegram, 'bots:channels.webhook');
    await press(telegram, 'bots:check.ask');
    await wrong(telegram, 'webhook_missing', { channel: 'Telegram' });
    await press(telegram, 'bots:telegram.registerAction');
    await well(telegram, t('bots:check.well.webhook', { channel: 'Telegram' }));
    await well(telegram, t('bots:check.well.named', { channel: 'Telegram', account: '@padaria_bot' }));
    assert.equal(bots.hook.url, webhook);
    await press(telegram, 'bots:channels.done');
    await running();

    step('what a customer writes on Telegram is answered there');
    assert.equal((await bots.says(1, `alô ${stamp}`)).status, 200);
    await bots.sent.until((m) => m.chat_id === 77 && m.text.includes(`alô ${stamp}`));

    step('an address that somebody else registered is noticed, and taken back');
    bots.hook.url = 'https://elsewhere.example/hook';
    await press(telegram, 'bots:check.ask');
    await wrong(telegram, 'webhook_elsewhere', { channel: 'Telegram', detail: 'https://elsewhere.example/hook' });
    await press(telegram, 'bots:telegram.registerAction');
    await well(telegram, t('bots:check.well.webhook', { channel: 'Telegram' }));
    assert.equal(bots.hook.url, webhook);
  }
}
