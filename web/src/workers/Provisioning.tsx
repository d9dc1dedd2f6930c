import { Card, Loader, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Worker } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useReason } from '@/status/reason';
import { RelativeTime } from '@/ui/RelativeTime';
import classes from './Provisioning.module.css';
import { provisioningStep, provisioningSteps } from './provisioning';

/** How far the making of a Worker's machine is, step by step. */
export function Provisioning({ worker }: { worker: Worker }) {
  const { t } = useTranslation('workers');
  const say = useReason();
  const format = useFormat();
  const step = provisioningStep(worker);
  if (!step) return null;
  const at = provisioningSteps.indexOf(step);
  const { next_retry_at: retry, failures, reason } = worker.status;
  return (
    <Card mb="lg" component="section" aria-label={t('provisioning.title')} aria-live="polite">
      <ol className={classes.steps}>
        {provisioningSteps.map((each, i) => (
          <li
            key={each}
            data-state={i < at ? 'done' : i === at ? 'now' : 'later'}
            aria-current={i === at ? 'step' : undefined}
          >
            <span className={classes.mark}>
              {i < at ? (
                <IconCheck size={14} stroke={2.5} aria-hidden />
              ) : i === at ? (
                <Loader size={14} aria-hidden />
              ) : null}
            </span>
            <span>{t(`provisioning.${each}`)}</span>
          </li>
        ))}
      </ol>
      {failures > 0 && (
        <Text size="sm" c="var(--warn)" mt="sm">
          {say(reason)}
          {retry && (
            <>
              {'. '}
              {t('nextTry')} <RelativeTime time={retry} /> ({format.time(retry)})
            </>
          )}
        </Text>
      )}
    </Card>
  );
}
