import { Anchor, Group, SegmentedControl, Skeleton, Switch } from '@mantine/core';
import { IconChartArea, IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Size } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { csvAddress, type Span, spans, usageQuery } from './queries';
import classes from './UsagePanel.module.css';

const UsageCharts = lazyPart(() => import('./UsageCharts'));

interface Props {
  worker: string;
  /** Drawn as limits. */
  size: Size;
  bots: Bot[];
}

/** What a Worker used over the last hour, day or month, as a whole or bot by bot. */
export function UsagePanel({ worker, size, bots }: Props) {
  const { t } = useTranslation('usage');
  const tenant = useTenantSlug();
  const [span, setSpan] = useState<Span>('hour');
  const [byBot, setByBot] = useState(false);
  const whole = useQuery(usageQuery(tenant, { workers: [worker] }, span));
  const parts = useQuery({ ...usageQuery(tenant, { workers: [worker], byBot: true }, span), enabled: byBot });
  const error = failureOf(whole, ...(byBot ? [parts] : []));
  const data = byBot ? parts.data : whole.data;

  return (
    <div>
      <Group justify="space-between" mb="md" gap="sm">
        <Group gap="md">
          <SegmentedControl
            aria-label={t('span.label')}
            value={span}
            onChange={(value) => setSpan(value as Span)}
            data={spans.map((value) => ({ value, label: t(`span.${value}`) }))}
          />
          <Switch label={t('byBot')} checked={byBot} onChange={(e) => setByBot(e.currentTarget.checked)} />
        </Group>
        <Anchor
          className={classes.export}
          href={csvAddress(tenant, { workers: [worker], byBot }, span, Date.now())}
          download={`${t('file')}-${span}.csv`}
        >
          <IconDownload size={15} aria-hidden />
          {t('export')}
        </Anchor>
      </Group>
      {error ? (
        <ErrorPanel
          error={error}
          retry={() => {
            void whole.refetch();
            void parts.refetch();
          }}
        />
      ) : !data || !whole.data ? (
        <ChartsSkeleton />
      ) : whole.data.points.length === 0 ? (
        <EmptyState icon={IconChartArea} title={t('empty')} text={t('emptyText')} />
      ) : (
        <Suspense fallback={<ChartsSkeleton />}>
          <UsageCharts span={span} whole={whole.data} parts={byBot ? parts.data : undefined} size={size} bots={bots} />
        </Suspense>
      )}
    </div>
  );
}

export function ChartsSkeleton({ count = 4 }: { count?: number }) {
  const { t } = useTranslation('ui');
  return (
    <div className={classes.grid} role="status" aria-label={t('loading')}>
      {Array.from({ length: count }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <Skeleton key={i} h={262} radius="lg" />
      ))}
    </div>
  );
}
