import { Select } from '@mantine/core';
import { IconServer2 } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { ToneDot } from '@/status/StateBadge';
import { workerTone } from '@/status/tone';
import { useTenantSlug } from '@/tenants/queries';
import { useWorkers } from './queries';
import { useOpenWorker, useWorkerScope } from './scope';
import { workerTabs } from './tabs';
import classes from './WorkerSelector.module.css';

const everything = 'all';

/** Chooses what the pages show: all Workers or one. On a Worker's own page it goes to another Worker's page. */
export function WorkerSelector() {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const scope = useWorkerScope();
  const open = useOpenWorker();
  const { data: workers } = useWorkers();

  const byId = useMemo(() => new Map((workers ?? []).map((w) => [w.id, w])), [workers]);
  const data = useMemo(
    () => [
      { value: everything, label: t('selector.all') },
      ...[...byId.values()].sort((a, b) => format.compare(a.name, b.name)).map((w) => ({ value: w.id, label: w.name })),
    ],
    [byId, t, format],
  );
  const value = open ?? scope;
  const chosen = value ? byId.get(value) : undefined;

  const choose = (next: string | null) => {
    if (open) {
      if (next === everything || next === null) {
        void navigate({ to: '/t/$tenant/workers', params: { tenant }, search: { worker: undefined } });
      } else {
        void navigate({
          to: '/t/$tenant/workers/$workerId',
          params: { tenant, workerId: next },
          search: (s) => ({ tab: workerTabs.find((tab) => tab === s.tab) }),
        });
      }
      return;
    }
    void navigate({
      to: '.',
      search: (s) => ({ ...s, worker: next === everything ? undefined : (next ?? undefined) }),
    });
  };

  return (
    <Select
      className={classes.root}
      aria-label={t('selector.label')}
      data={data}
      value={chosen ? chosen.id : everything}
      onChange={choose}
      allowDeselect={false}
      searchable
      limit={80}
      maxDropdownHeight={360}
      nothingFoundMessage={t('selector.none')}
      leftSection={chosen ? <ToneDot tone={workerTone[chosen.status.state]} /> : <IconServer2 size={16} stroke={1.7} />}
      comboboxProps={{ width: 280, position: 'bottom-start', portalProps: { target: '#content' } }}
      renderOption={({ option, checked }) => {
        const worker = byId.get(option.value);
        return (
          <span className={classes.option} data-checked={checked || undefined}>
            {worker ? <ToneDot tone={workerTone[worker.status.state]} /> : <IconServer2 size={15} stroke={1.7} />}
            <span>{option.label}</span>
          </span>
        );
      }}
    />
  );
}
