// Telegram and WhatsApp as far as a bot of the platform sees them: servers on this machine that speak their APIs, which
// the bots of the process engine can reach.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

async function serve(answer) {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [status, body] = answer(request, text ? JSON.parse(text) : undefined);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, end: () => server.close() };
}

/** What a platform was sent, and a way to wait for it. */
class Sent {
  messages = [];
  #news = () => {};
  add(message) {
    this.messages.push(message);
    this.#news();
  }
  async until(ok, ms = 30_000) {
    const late = setTimeout(() => this.#news(new Error(`only this was sent: ${JSON.stringify(this.messages)}`)), ms);
    while (!this.messages.some(ok)) {
      const error = await new Promise((resolve) => {
        this.#news = resolve;
      });
      if (error) throw error;
    }
    clearTimeout(late);
  }
}

/** Meta's Graph API for one number. */
export async function whatsapp(number, token) {
  const sent = new Sent();
  const wrong = (status, code, message) => [status, { error: { message, type: 'OAuthException', code } }];
  const { url, end } = await serve(({ headers, method, url }, body) => {
    const [path] = url.split('?');
    if (headers.authorization !== `Bearer ${token}`) return wrong(401, 190, 'Invalid OAuth access token');
    if (method === 'GET' && path === `/v21.0/${number}`)
      return [200, { id: number, display_phone_number: '+55 11 3000-0000', verified_name: 'Padaria' }];
    if (method !== 'POST' || path !== `/v21.0/${number}/messages`) return wrong(400, 100, 'Object does not exist');
    sent.add(body);
    return [200, { messaging_product: 'whatsapp', messages: [{ id: `wamid.out${sent.messages.length}` }] }];
  });
  /** Sends what somebody wrote to the number, signed as Meta signs it. */
  const says = (webhook, secret, text) => {
    const message = { from: '5521999990000', id: `wamid.${text}`, timestamp: '1700000000', type: 'text', text: { body: text } }; // biome-ignore format: one message
    const value = { messaging_product: 'whatsapp', metadata: { phone_number_id: number }, messages: [message] };
    const entry = [{ id: '1', changes: [{ field: 'messages', value }] }];
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry });
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const headers = { 'Content-Type': 'application/json', 'X-Hub-Signature-256': signature };
    return fetch(webhook, { method: 'POST', headers, body });
  };
  return { base: `${url}/v21.0`, sent, says, end };
}

/** Telegram's Bot API for one bot. */
export async function telegram(token) {
  const sent = new Sent();
  const hook = { url: '' };
  const { url, end } = await serve(({ url }, body) => {
    const method = url.split(`/bot${token}/`)[1];
    if (!method) return [401, { ok: false, description: 'Unauthorized' }];
    if (method === 'setWebhook') Object.assign(hook, body);
    if (method === 'sendMessage') sent.add(body);
    const results = { getMe: { id: 123, is_bot: true, username: 'padaria_bot' }, getWebhookInfo: { url: hook.url, pending_update_count: 0 } }; // biome-ignore format: one answer each
    return [200, { ok: true, result: results[method] ?? true }];
  });
  /** Sends what somebody wrote to the bot to where it was registered, with the secret of that. */
  const says = (id, text) => {
    const from = { id: 77, is_bot: false, language_code: 'pt-br' };
    const message = { message_id: id, date: 1_700_000_000, chat: { id: 77, type: 'private' }, from, text };
    const headers = { 'Content-Type': 'application/json', 'X-Telegram-Bot-Api-Secret-Token': hook.secret_token };
    return fetch(hook.url, { method: 'POST', headers, body: JSON.stringify({ update_id: id, message }) });
  };
  return { base: url, sent, hook, says, end };
}
