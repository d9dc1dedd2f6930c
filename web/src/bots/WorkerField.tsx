import { Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { useWorkers } from '@/workers/queries';
import { useBotsByWorker } from './queries';

interface Props {
  value?: string;
  onChange?: (worker: string) => void;
  error?: ReactNode;
}

/** Chooses the Worker that a bot runs in. */
export function WorkerField({ value, onChange, error }: Props) {
  const { t } = useTranslation(['bots', 'moves']);
  const format = useFormat();
  const { data: workers } = useWorkers();
  const bots = useBotsByWorker();
  const choices = (workers ?? []).filter((w) => w.desired !== 'deleted').sort((a, b) => format.compare(a.name, b.name));
  return (
    <Select
      label={t('new.worker')}
      description={t('new.workerHelp')}
      placeholder={t('new.workerPlaceholder')}
      required
      allowDeselect={false}
      searchable={choices.length > 8}
      data={choices.map((w) => ({
        value: w.id,
        label: `${w.name} · ${t('moves:dialog.bots', { count: bots.get(w.id)?.length ?? 0 })}`,
      }))}
      value={value || null}
      onChange={(next) => next && onChange?.(next)}
      error={error}
    />
  );
}
