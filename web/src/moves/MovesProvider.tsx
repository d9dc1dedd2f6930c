import { Button, Group, Progress, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  createContext,
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { translateReason } from '@/status/reason';
import { useTenantSlug } from '@/tenants/queries';
import { InlineError } from '@/ui/errors';
import { useWorkers } from '@/workers/queries';
import { ended, progressOf } from './progress';
import { movesQuery, useMoveBot } from './queries';

const MoveDialog = lazy(() => import('./MoveDialog'));

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
  const { mutate } = useMoveBot();
  const { data: workers } = useWorkers();
  const [asking, setAsking] = useState<Bot | null>(null);

  const move = useCallback(
    (bot: Bot, to: string) => {
      if (bot.worker_id === to) return;
      const id = `move-${bot.id}`;
      const name = workers?.find((w) => w.id === to)?.name ?? '';
      const back = () => {
        notifications.hide(id);
        mutateBack();
      };
      const start = (target: string, targetName: string, undo?: () => void) =>
        mutate(
          { bot, to: target },
          {
            onSuccess: (started) =>
              notifications.show({
                id,
                autoClose: false,
                withCloseButton: true,
                message: (
                  <MoveToast
                    tenant={tenant}
                    moveId={started.id}
                    toastId={id}
                    bot={bot.name}
                    to={targetName}
                    onUndo={undo}
                  />
                ),
              }),
            onError: (error) =>
              notifications.show({ id, color: 'red', autoClose: 8000, message: <InlineError error={error} /> }),
          },
        );
      const mutateBack = () => {
        const home = workers?.find((w) => w.id === bot.worker_id);
        if (home) start(home.id, home.name);
      };
      notifications.hide(id);
      start(to, name, back);
    },
    [mutate, tenant, workers],
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

interface ToastProps {
  tenant: string;
  moveId: string;
  toastId: string;
  bot: string;
  to: string;
  onUndo?: () => void;
}

/** How far a move is; says so to screen readers as well. */
function MoveToast({ tenant, moveId, toastId, bot, to, onUndo }: ToastProps) {
  const { t } = useTranslation('moves');
  const { t: status } = useTranslation('status');
  const { data: moves } = useQuery(movesQuery(tenant));
  const move = moves?.find((m) => m.id === moveId);
  const step = move?.step ?? 'requested';
  const over = ended(step);
  useEffect(() => {
    if (step !== 'done') return;
    const timer = setTimeout(() => notifications.hide(toastId), 12_000);
    return () => clearTimeout(timer);
  }, [step, toastId]);

  return (
    <div>
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="sm">
        <Text size="sm" fw={600}>
          {step === 'done'
            ? t('done', { bot, to })
            : step === 'failed'
              ? t('failed', { bot })
              : t('moving', { bot, to })}
        </Text>
        {step === 'done' && onUndo && (
          <Button size="compact-xs" variant="light" leftSection={<IconArrowBackUp size={14} />} onClick={onUndo}>
            {t('undo')}
          </Button>
        )}
      </Group>
      {!over && (
        <Progress
          value={progressOf(step) * 100}
          size="sm"
          mt={8}
          mb={6}
          aria-label={t('moving', { bot, to })}
          animated
        />
      )}
      {step !== 'done' && (
        <Text size="xs" c="dimmed">
          {t(`step.${step}`)}
          {move?.reason ? ` — ${translateReason(status, move.reason)}` : ''}
        </Text>
      )}
    </div>
  );
}
