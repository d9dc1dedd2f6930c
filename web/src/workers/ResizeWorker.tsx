import { Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import type { Capabilities, TenantTotals, Worker } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { InlineError } from '@/ui/errors';
import { resizeEffect } from './effect';
import { useResizeWorker } from './queries';
import { SizePicker } from './SizePicker';
import { exceeds, remaining, sameSize } from './size';
import classes from './WorkerSettings.module.css';

interface Props {
  worker: Worker;
  plan: TenantTotals;
  capabilities: Capabilities;
}

/** Changes a Worker's size; says beforehand whether its bots go on. */
export function ResizeWorker({ worker, plan, capabilities }: Props) {
  const { t } = useTranslation(['workers', 'ui']);
  const format = useFormat();
  const resize = useResizeWorker(worker.id);
  const [size, setSize] = useState(worker.size);
  // The Worker that the sliders began with; see WorkerSettings.
  const [base, setBase] = useState(worker);
  const [conflict, setConflict] = useState<Worker | null>(null);
  const dirty = !sameSize(size, base.size);

  useEffect(() => {
    if (dirty || worker.version === base.version) return;
    setBase(worker);
    setSize(worker.size);
  }, [worker, dirty, base.version]);

  const effect = resizeEffect(worker, size, capabilities);
  const over = exceeds(size, remaining(plan.limits, plan.totals, worker.size));

  const save = (version: number) =>
    resize.mutate(
      { version, size },
      {
        onSuccess: ({ worker: saved, effect: done }) => {
          setConflict(null);
          setBase(saved);
          setSize(saved.size);
          notifications.show({ message: t(`resize.done.${done}`) });
        },
        onError: async (error) => {
          if (!isApiError(error, 'version_mismatch')) {
            setConflict(null);
            return;
          }
          const now = await resize.reread();
          // Somebody changed something else, the name say: the size is still what this person saw.
          if (sameSize(now.size, base.size)) {
            setBase(now);
            save(now.version);
          } else setConflict(now);
        },
      },
    );

  return (
    <Card component="section" aria-labelledby="resize">
      <Title order={2} id="resize" mb={4}>
        {t('resize.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="lg">
        {capabilities.live_resize ? t('resize.textLive') : t('resize.text')}
      </Text>
      <Stack gap="lg">
        <SizePicker value={size} onChange={setSize} plan={plan} replaced={worker.size} />
        {effect !== 'none' && (
          <Text className={classes.note} data-effect={effect} role="status">
            {t(`resize.effect.${effect}`)}
          </Text>
        )}
        {resize.error && !isApiError(resize.error, 'version_mismatch') && <InlineError error={resize.error} />}
        <Group justify="flex-end">
          <Button variant="default" disabled={!dirty} onClick={() => setSize(base.size)}>
            {t('settings.discard')}
          </Button>
          <Button
            disabled={!dirty || over.length > 0}
            loading={resize.isPending}
            color={effect === 'restart' ? 'orange.8' : undefined}
            onClick={() => save(base.version)}
          >
            {effect === 'restart' ? t('resize.actionRestart') : t('resize.action')}
          </Button>
        </Group>
      </Stack>
      {conflict && (
        <ConflictDialog
          busy={resize.isPending}
          differences={[{ label: t('resize.title'), theirs: format.size(conflict.size), mine: format.size(size) }]}
          onClose={() => setConflict(null)}
          onTheirs={() => {
            setBase(conflict);
            setSize(conflict.size);
            setConflict(null);
          }}
          onMine={() => save(conflict.version)}
        />
      )}
    </Card>
  );
}
