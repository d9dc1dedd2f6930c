import { useState } from 'react';
import { isApiError } from '@/api/problem';
import type { Assistant, Bot } from '@/api/resources';
import { usePutSecret } from '@/secrets/queries';
import { usePermissions } from '@/tenants/queries';
import { useUpdateBot } from './queries';

/** Saves a channel: first its secrets, then the assistant that uses them. */
export function useConnect(bot: Bot) {
  const may = usePermissions();
  const put = usePutSecret();
  const update = useUpdateBot(bot.id);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  /** secrets are values by name. Reports whether everything was saved. */
  const run = async (secrets: Record<string, string>, channel: Pick<Assistant, 'telegram' | 'whatsapp'>) => {
    setBusy(true);
    setError(null);
    try {
      for (const [name, value] of Object.entries(secrets)) {
        // Who sees some Workers only can't set what every Worker may use.
        await put.mutateAsync({ name, value, worker: may.limited ? bot.worker_id : undefined });
      }
      const save = (over: Bot) =>
        update.mutateAsync({ version: over.version, change: { assistant: { ...over.assistant, ...channel } } });
      try {
        await save(bot);
      } catch (e) {
        if (!isApiError(e, 'version_mismatch')) throw e;
        // Somebody changed another part of the assistant, which stays: only the channel is ours.
        await save(await update.reread());
      }
      return true;
    } catch (e) {
      setError(e);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, error };
}
