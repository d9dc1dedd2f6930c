import { createContext, type ReactNode, Suspense, useCallback, useContext, useMemo, useState } from 'react';
import type { Bot } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { lazyPart } from '@/ui/lazyPart';
import { persistent } from '@/ui/persistent';
import { useWorkers } from '@/workers/queries';
import { useMoveBot } from './queries';

const MoveDialog = lazyPart(() => import('./MoveDialog'));
const loadToast = () => persistent(() => import('./toast'));

interface Moves {
  /** Starts a move and shows its progress, with a way back when it is done. */
  move: (bot: Bot, to: string) => void;
  /** Asks where to. */
  choose: (bot: Bot) => void;
}

const MovesContext = createContext<Moves>({ move: () => undefined, choose: () => undefined });

export const useMoving = (): Moves => useContext(MovesContext);

/** Carries out moves that people ask for anywhere in the tenant's pages. */
export function MovesProvider({ children }: { children: ReactNode }) {
  const tenant = useTenantSlug();
  const { mutateAsync } = useMoveBot();
  const { data: workers } = useWorkers();
  const [asking, setAsking] = useState<Bot | null>(null);

  const move = useCallback(
    (bot: Bot, to: string) => {
      if (bot.worker_id === to) return;
      const toastId = `move-${bot.id}`;
      const start = async (target: string, undo?: () => void) => {
        const [{ hideMove, showMove, showMoveError }, outcome] = await Promise.all([
          loadToast(),
          mutateAsync({ bot, to: target }).then(
            (started) => ({ started }),
            (error: unknown) => ({ error }),
          ),
        ]);
        hideMove(toastId);
        if ('error' in outcome) {
          showMoveError(toastId, outcome.error);
          return;
        }
        const name = workers?.find((w) => w.id === target)?.name ?? '';
        showMove({ tenant, moveId: outcome.started.id, toastId, bot: bot.name, to: name, onUndo: undo });
      };
      void start(to, () => void start(bot.worker_id));
    },
    [mutateAsync, tenant, workers],
  );
  const value = useMemo(() => ({ move, choose: setAsking }), [move]);

  return (
    <MovesContext value={value}>
      {children}
      {asking && (
        <Suspense>
          <MoveDialog bot={asking} onClose={() => setAsking(null)} onChoose={(to) => move(asking, to)} />
        </Suspense>
      )}
    </MovesContext>
  );
}
