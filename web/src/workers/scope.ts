import { useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Bot, Worker } from '@/api/resources';

/** The Worker that the address chooses (?worker=), or undefined for all. Lists and totals show only what is in it. */
export function useWorkerScope(): string | undefined {
  return useSearch({ from: '/signed-in/t/$tenant', select: (s) => s.worker });
}

/** The Worker whose page is open, if one is. */
export function useOpenWorker(): string | undefined {
  return useParams({ strict: false, select: (p: { workerId?: string }) => p.workerId });
}

export function useScoped(workers: Worker[] | undefined, bots: Bot[] | undefined): { workers: Worker[]; bots: Bot[] } {
  const scope = useWorkerScope();
  return useMemo(
    () => ({
      workers: (workers ?? []).filter((w) => !scope || w.id === scope),
      bots: (bots ?? []).filter((b) => !scope || b.worker_id === scope),
    }),
    [workers, bots, scope],
  );
}
