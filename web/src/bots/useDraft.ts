import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { isApiError } from '@/api/problem';
import type { Bot } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { type BotInput, botKeys, readBot, useCreateBot, useUpdateBot } from './queries';

const patience = 45_000;
const step = 400;
const ready = new Set<Bot['status']['state']>(['running', 'unhealthy']);
const hopeless = new Set<Bot['status']['state']>(['failed', 'crash_loop', 'stopped', 'completed']);

/** Keeps a bot that a guide works on: made when it is first needed, brought up to date after that. */
export function useDraft() {
  const tenant = useTenantSlug();
  const cache = useQueryClient();
  const [draft, setDraft] = useState<Bot | null>(null);
  const create = useCreateBot();
  const update = useUpdateBot(draft?.id ?? '');
  const saved = useRef('');

  /** Makes the bot, or changes the one that was made. Its Worker stays where it was made. */
  const save = async (input: BotInput): Promise<Bot> => {
    const { name, access, assistant, program } = input;
    const text = JSON.stringify({ name, access, assistant, program });
    if (draft && text === saved.current) return draft;
    let bot: Bot;
    if (!draft) {
      bot = await create.mutateAsync(input);
    } else {
      const write = (version: number) => update.mutateAsync({ version, change: { name, access, assistant, program } });
      try {
        bot = await write(draft.version);
      } catch (error) {
        if (!isApiError(error, 'version_mismatch')) throw error;
        // Nobody else knows the draft yet but its own start: the guide's version stays.
        bot = await write((await readBot(tenant, draft.id)).version);
      }
    }
    saved.current = text;
    setDraft(bot);
    return bot;
  };

  /** Waits until the bot runs, or says why it doesn't by what it gives back. */
  const started = async (bot: Bot): Promise<Bot> => {
    const until = Date.now() + patience;
    let current = bot;
    while (!ready.has(current.status.state) && !hopeless.has(current.status.state) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, step));
      current =
        cache.getQueryData<Bot[]>(botKeys.list(tenant))?.find((b) => b.id === bot.id) ??
        (await readBot(tenant, bot.id));
    }
    return current;
  };

  return { draft, save, started, busy: create.isPending || update.isPending };
}
