import { Card, SimpleGrid, Skeleton, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Isolation } from '@/api/resources';
import { Pill } from '@/status/StateBadge';
import { capabilitiesQuery } from '@/tenants/queries';
import { ErrorPanel } from '@/ui/errors';
import { PageHeader } from '@/ui/PageHeader';
import plans from './PlansPage.module.css';
import classes from './PlatformPage.module.css';

const levels: Isolation[] = ['container', 'sandbox', 'vm'];

/** What the platform runs on, what it can do and what it warns of. */
export function PlatformPage() {
  const { t } = useTranslation(['operator', 'workers']);
  const { data, error, refetch } = useQuery({ ...capabilitiesQuery, refetchInterval: 30_000 });
  return (
    <>
      <PageHeader title={t('health.title')} text={t('health.text')} />
      {error ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton h={260} radius="lg" />
      ) : (
        <>
          {(data.warnings ?? []).map((warning) => (
            <div key={warning.code} className={classes.warning} role="alert">
              <IconAlertTriangle size={18} stroke={1.8} aria-hidden />
              <span>{warning.message}</span>
            </div>
          ))}
          {(data.warnings ?? []).length === 0 && (
            <div className={classes.well}>
              <IconCircleCheck size={18} stroke={1.8} aria-hidden />
              <span>{t('health.well')}</span>
            </div>
          )}
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Card component="section" aria-labelledby="engine">
              <Title order={2} id="engine" mb="md">
                {t('health.engine')}
              </Title>
              <dl className={plans.facts}>
                <dt>{t('health.kind')}</dt>
                <dd>{t(`health.engines.${data.engine}`)}</dd>
                <dt>{t('health.version')}</dt>
                <dd>{data.version || '–'}</dd>
                <dt>{t('health.resize')}</dt>
                <dd>{data.live_resize ? t('health.yes') : t('health.restart')}</dd>
                <dt>{t('health.disk')}</dt>
                <dd>{t(`health.disks.${data.disk_limit}`)}</dd>
                <dt>{t('health.images')}</dt>
                <dd>{data.images ? t('health.yes') : t('health.no')}</dd>
              </dl>
            </Card>
            <Card component="section" aria-labelledby="isolation">
              <Title order={2} id="isolation" mb="md">
                {t('health.isolation')}
              </Title>
              <ul className={classes.levels}>
                {levels.map((level) => {
                  const by = data.isolation[level];
                  return (
                    <li key={level}>
                      <div>
                        <strong>{t(`workers:isolation.${level}.name`)}</strong>
                        <span>{by ?? data.missing?.[level] ?? t('workers:isolation.noReason')}</span>
                      </div>
                      <Pill tone={by ? 'ok' : 'off'} label={by ? t('health.available') : t('health.unavailable')} />
                    </li>
                  );
                })}
              </ul>
            </Card>
          </SimpleGrid>
        </>
      )}
    </>
  );
}
