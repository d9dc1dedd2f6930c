import { Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconExternalLink, IconKey, IconLock, IconWorld } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from '@/ui/errors';
import { AnchorLink } from '@/ui/links';
import classes from './AddressCard.module.css';
import { useNewAccessToken, usePreview } from './queries';

const icons = { public: IconWorld, token: IconKey, private: IconLock } as const;

/** Where the bot is reached, and by whom. */
export function AddressCard({ bot }: { bot: Bot }) {
  const { t } = useTranslation('bots');
  const tenant = useTenantSlug();
  const may = usePermissions();
  const preview = usePreview();
  const [tokens, setTokens] = useState(false);
  const serves = bot.kind === 'assistant' || Boolean(bot.program?.port);
  const Icon = icons[bot.access];
  if (!serves) {
    return (
      <Card component="section" aria-labelledby="address">
        <Title order={2} id="address" mb={4}>
          {t('address.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('address.none')}{' '}
          {may.changeBots && (
            <AnchorLink
              to="/t/$tenant/bots/$botId"
              params={{ tenant, botId: bot.id }}
              search={{ tab: 'program' }}
              size="sm"
              underline="always"
            >
              {t('address.setPort')}
            </AnchorLink>
          )}
        </Text>
      </Card>
    );
  }
  const open = () => {
    // The window is opened within the click; afterwards browsers would block it.
    const tab = window.open('', '_blank');
    if (tab) tab.opener = null;
    preview.mutate(bot.id, {
      onSuccess: ({ url }) => {
        if (tab) tab.location.href = url;
        else window.location.assign(url);
      },
      onError: (error) => {
        tab?.close();
        notifications.show({ color: 'red', autoClose: 8000, message: <InlineError error={error} /> });
      },
    });
  };
  return (
    <Card component="section" aria-labelledby="address">
      <Group justify="space-between" mb="sm" gap="xs">
        <Title order={2} id="address">
          {t('address.title')}
        </Title>
        <span className={classes.access}>
          <Icon size={15} stroke={1.8} aria-hidden />
          {t(`access.${bot.access}.name`)}
        </span>
      </Group>
      <CopyField label={t('address.label')} value={bot.url ?? ''} />
      <Group justify="space-between" mt="sm" gap="sm">
        <Text size="sm" c="dimmed" className={classes.text}>
          {t(`access.${bot.access}.text`)}
        </Text>
        <Group gap="xs">
          {bot.access === 'token' && may.changeAccess && (
            <Button size="xs" variant="default" leftSection={<IconKey size={15} />} onClick={() => setTokens(true)}>
              {t('address.newToken')}
            </Button>
          )}
          {bot.access === 'public' ? (
            <Button
              size="xs"
              variant="default"
              component="a"
              href={bot.url}
              target="_blank"
              rel="noreferrer"
              leftSection={<IconExternalLink size={15} />}
            >
              {t('address.open')}
            </Button>
          ) : (
            may.changeBots && (
              <Button
                size="xs"
                variant="default"
                loading={preview.isPending}
                leftSection={<IconExternalLink size={15} />}
                onClick={open}
              >
                {t('address.preview')}
              </Button>
            )
          )}
        </Group>
      </Group>
      {tokens && <AccessToken bot={bot} onClose={() => setTokens(false)} />}
    </Card>
  );
}

/** Makes the bot's access token anew; shows it this once. */
function AccessToken({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const { t } = useTranslation(['bots', 'ui']);
  const make = useNewAccessToken();
  return (
    <Dialog onClose={onClose} title={t('token.title')} closeOnClickOutside={!make.data} closeOnEscape={!make.data}>
      {make.data ? (
        <Stack gap="md">
          <Text size="sm">{t('token.once')}</Text>
          <CopyField label={t('token.label')} value={make.data.token} />
          <CopyField
            label={t('token.example')}
            labelled
            value={`curl -H "Authorization: Bearer ${make.data.token}" ${bot.url ?? ''}`}
          />
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('token.done')}</Button>
          </Group>
        </Stack>
      ) : (
        <Stack gap="md">
          <Text size="sm">{t('token.text')}</Text>
          {make.error && <InlineError error={make.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button loading={make.isPending} onClick={() => make.mutate(bot.id)}>
              {t('token.make')}
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}
