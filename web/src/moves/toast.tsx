import { Button, Group, Progress, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { translateReason } from '@/status/reason';
import { InlineError } from '@/ui/errors';
import { ended, progressOf } from './progress';
import { movesQuery } from './queries';

/** Shows the progress of a move until it is over, and then for a while the way back. */
export function showMove(props: ToastProps): void {
  notifications.show({ id: props.toastId, autoClose: false, withCloseButton: true, message: <MoveToast {...props} /> });
}

export function showMoveError(id: string, error: unknown): void {
  notifications.show({ id, color: 'red', autoClose: 8000, message: <InlineError error={error} /> });
}

export function hideMove(id: string): void {
  notifications.hide(id);
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
