import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconLifebuoy } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { useMe } from '@/session/queries';
import { tenantKeys, usePermissions, useTenantSlug } from '@/tenants/queries';
import { confirm } from '@/ui/confirm';
import { InlineError } from '@/ui/errors';
import { useNow } from '@/ui/RelativeTime';
import { activeSupportQuery, type Support, useEndSupport } from './queries';
import classes from './SupportBanner.module.css';

/** While somebody of the platform is in the company, every member sees who, why and until when. */
export function SupportBanner() {
  const { data } = useQuery(activeSupportQuery(useTenantSlug()));
  const now = useNow();
  useWayOut(now);
  return (data ?? [])
    .filter((s) => Date.parse(s.expires_at) > now)
    .map((support) => <Banner key={support.id} support={support} />);
}

/** Takes an operator whose session is over back to what operators see of the company. */
function useWayOut(now: number): void {
  const { t } = useTranslation('support');
  const navigate = useNavigate();
  const me = useMe();
  const slug = useTenantSlug();
  const cache = useQueryClient();
  const membership = me.tenants.find((m) => m.tenant.slug === slug || m.tenant.id === slug);
  const inside = membership && (!membership.support || Date.parse(membership.support.expires_at) > now);
  const out = me.operator && !inside;
  useEffect(() => {
    if (!out) return;
    notifications.show({ id: 'support-ended', message: t('banner.over') });
    void navigate({ to: '/operator/tenants/$tenantId', params: { tenantId: slug }, replace: true }).then(() =>
      // Nothing of what was seen inside is shown again, not even on the browser's way back.
      cache.removeQueries({ queryKey: tenantKeys.all(slug), type: 'inactive' }),
    );
  }, [out, slug, navigate, cache, t]);
}

function Banner({ support }: { support: Support }) {
  const { t } = useTranslation('support');
  const format = useFormat();
  const me = useMe();
  const may = usePermissions();
  const end = useEndSupport(useTenantSlug());
  const mine = support.user_id === me.id;
  const finish = () => end.mutate(support.id);
  const ask = () =>
    confirm({
      title: t('banner.endTitle'),
      children: t('banner.endText', { name: support.name }),
      labels: { confirm: t('banner.end'), cancel: t('banner.cancel') },
      onConfirm: finish,
    });
  return (
    <section className={classes.banner} aria-label={t('banner.label')} data-mine={mine || undefined}>
      <IconLifebuoy size={18} stroke={1.8} aria-hidden />
      <div className={classes.words}>
        <p role="status">
          {mine
            ? t('banner.mine', { time: format.time(support.expires_at) })
            : t('banner.other', { name: support.name, time: format.time(support.expires_at) })}
        </p>
        <p className={classes.reason}>{t('banner.reason', { reason: support.reason })}</p>
        {end.error && <InlineError error={end.error} />}
      </div>
      {(mine || me.operator || may.role === 'owner') && (
        <Button size="xs" variant="default" loading={end.isPending} onClick={mine ? finish : ask}>
          {t('banner.end')}
        </Button>
      )}
    </section>
  );
}
