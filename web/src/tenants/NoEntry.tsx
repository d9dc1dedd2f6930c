import { IconMapPinOff } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '@/ui/EmptyState';
import { ButtonLink } from '@/ui/links';
import { tenantKeys, useTenantSlug } from './queries';

/** In the place of a company that isn't there for the person, or no longer: nothing that was read of it stays. */
export function NoEntry() {
  const { t } = useTranslation('tenants');
  const cache = useQueryClient();
  const tenant = useTenantSlug();
  useEffect(() => {
    const detail = tenantKeys.detail(tenant).join();
    void cache.resetQueries({ queryKey: tenantKeys.all(tenant), predicate: (q) => q.queryKey.join() !== detail });
  }, [cache, tenant]);
  return (
    <EmptyState
      page
      icon={IconMapPinOff}
      title={t('gone.title')}
      text={t('gone.text')}
      action={
        <ButtonLink to="/" variant="default">
          {t('gone.home')}
        </ButtonLink>
      }
    />
  );
}
