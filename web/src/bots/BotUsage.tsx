import { Anchor, Group, SegmentedControl, Skeleton } from '@mantine/core';
import { IconChartArea, IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useTenantSlug } from '@/tenants/queries';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { lazyPart } from '@/ui/lazyPart';
import { csvAddress, type Span, spans, usageQuery } from '@/usage/queries';
import type { PanelProps } from './BotPage';

const UsageCharts = lazyPart(() => import('@/usage/UsageCharts'));

/** What the bot used, with the limits of its Worker. */
export default function BotUsage({ bot, worker }: PanelProps) {
  const { t } = useTranslation(['usage', 'ui']);
  const tenant = useTenantSlug();
  const [span, setSpan] = useState<Span>('hour');
  const filter = { bot: bot.id };
  const { data, error, refetch } = useQuery(usageQuery(tenant, filter, span));
  const waiting = <Skeleton h={520} radius="lg" role="status" aria-label={t('ui:loading')} />;
  return (
    <>
      <Group justify="space-between" mb="md" gap="sm">
        <SegmentedControl
          aria-label={t('span.label')}
          value={span}
          onChange={(value) => setSpan(value as Span)}
          data={spans.map((value) => ({ value, label: t(`span.${value}`) }))}
        />
        <Anchor
          size="sm"
          href={csvAddress(tenant, filter, span, Date.now())}
          download={`${t('file')}-${span}.csv`}
          style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}
        >
          <IconDownload size={15} aria-hidden />
          {t('export')}
        </Anchor>
      </Group>
      {failureOf({ data, error }) ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !data ? (
        waiting
      ) : data.points.length === 0 ? (
        <EmptyState icon={IconChartArea} title={t('empty')} text={t('emptyText')} />
      ) : (
        <Suspense fallback={waiting}>
          <UsageCharts span={span} whole={data} size={worker?.size} bots={[bot]} />
        </Suspense>
      )}
    </>
  );
}
