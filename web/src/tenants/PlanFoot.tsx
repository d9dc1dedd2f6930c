import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { Meter } from '@/ui/Meter';
import { useTotals } from './queries';

/** The plan and how much of its Workers is used, at the foot of the side bar. */
export function PlanFoot() {
  const { t } = useTranslation('tenants');
  const format = useFormat();
  const { data } = useTotals();
  if (!data) return null;
  const { totals, limits } = data;
  return (
    <Meter
      size="sm"
      label={data.plan}
      name={t('resource.workers')}
      value={totals.workers}
      limit={limits.workers}
      text={t('workersOf', { value: format.number(totals.workers), limit: format.number(limits.workers) })}
    />
  );
}
