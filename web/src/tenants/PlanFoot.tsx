import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { Meter } from '@/ui/Meter';
import { usePermissions, useTotals } from './queries';

/** The plan and how much of its Workers is used, at the foot of the side bar. */
export function PlanFoot() {
  const { t } = useTranslation('tenants');
  const format = useFormat();
  const may = usePermissions();
  const { data } = useTotals();
  // Who sees some Workers only isn't told how many there are.
  if (!data || may.limited) return null;
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
