import type { Bot, Secret } from '@/api/resources';

const pattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Whether a name is one that a secret or a variable may have. */
export const isSecretName = (name: string): boolean => pattern.test(name);

/** Turns what somebody types into such a name: "chave da OpenAI" becomes "CHAVE_DA_OPENAI". */
export function toSecretName(text: string): string {
  const name = text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toUpperCase()
    .replace(/[^A-Z0-9_]+/g, '_')
    .slice(0, 64);
  return /^[0-9]/.test(name) ? `_${name}`.slice(0, 64) : name;
}

/** The secrets that a bot of the Worker finds, each name once: the Worker's own before those of every Worker. */
export function secretsFor(secrets: readonly Secret[], worker: string | undefined): string[] {
  const names = secrets.filter((s) => !s.worker_id || s.worker_id === worker).map((s) => s.name);
  return [...new Set(names)].sort();
}

/** The names of the secrets that a bot's settings ask for. */
export function secretsOf(bot: Bot): string[] {
  const { assistant, program } = bot;
  const names = [
    assistant?.base_url_secret,
    assistant?.api_key_secret,
    ...(assistant?.model && assistant.model !== 'builtin/echo' ? ['OPENAI_API_KEY', 'OPENAI_BASE_URL'] : []),
    assistant?.telegram?.token_secret,
    assistant?.telegram?.webhook_secret_secret,
    assistant?.whatsapp?.access_token_secret,
    assistant?.whatsapp?.app_secret_secret,
    assistant?.whatsapp?.verify_token_secret,
    ...(program?.env ?? []).map((e) => e.secret),
  ];
  return [...new Set(names.filter((n): n is string => Boolean(n)))];
}
