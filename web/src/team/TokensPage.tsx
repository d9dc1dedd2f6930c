import { Badge, Button, Card, Checkbox, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { IconApi, IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import type { Token } from '@/api/resources';
import { useMe } from '@/session/queries';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { tokensQuery, useCreateToken, useEndToken, useMembers } from './queries';
import classes from './TeamPage.module.css';

const scopes = ['read', 'write', 'admin'] as const satisfies readonly Token['scopes'][number][];
const day = 24 * 60 * 60_000;
const lives = ['30', '90', '365', 'never'] as const;

/** Keys with which other systems use the API in a person's name. */
export function TokensPage() {
  const { t } = useTranslation('team');
  const tenant = useTenantSlug();
  const me = useMe();
  const may = usePermissions();
  const { data, error, refetch } = useQuery(tokensQuery(tenant));
  const members = useMembers(may.seeMembers);
  const names = useMemo(() => new Map((members.data ?? []).map((m) => [m.user_id, m.name || m.email])), [members.data]);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Token | null>(null);
  const create = !may.suspended && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
      {t('tokens.create')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('tokens.title')} text={t('tokens.text')} actions={(data?.length ?? 0) > 0 && create} />
      {failureOf({ data, error }) ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton h={200} radius="lg" />
      ) : data.length === 0 ? (
        <Card>
          <EmptyState icon={IconApi} title={t('tokens.empty')} text={t('tokens.emptyText')} action={create} />
        </Card>
      ) : (
        <Card component="section" padding={0} aria-labelledby="tokens">
          <Title order={2} id="tokens" className={classes.title}>
            {t('tokens.active')}
          </Title>
          <ul className={classes.list}>
            {data.map((token) => {
              const over = token.expires_at !== undefined && Date.parse(token.expires_at) < Date.now();
              return (
                <li key={token.id} className={classes.row}>
                  <span className={classes.mail}>
                    <IconKey size={18} stroke={1.6} aria-hidden />
                  </span>
                  <div className={classes.words}>
                    <span className={classes.name}>{token.name}</span>
                    <span className={classes.about}>
                      {token.user_id === me.id ? t('tokens.yours') : (names.get(token.user_id) ?? t('tokens.somebody'))}
                      {' · '}
                      {token.last_used_at ? (
                        <>
                          {t('tokens.used')} <RelativeTime time={token.last_used_at} />
                        </>
                      ) : (
                        t('tokens.unused')
                      )}
                    </span>
                  </div>
                  <div className={classes.access}>
                    <span className={classes.token}>
                      {token.scopes.map((scope) => (
                        <Badge key={scope} color="gray">
                          {t(`scope.${scope}.name`)}
                        </Badge>
                      ))}
                    </span>
                    <span className={classes.about}>
                      {token.expires_at ? (
                        <>
                          {over ? t('expired') : t('expires')} <RelativeTime time={token.expires_at} />
                        </>
                      ) : (
                        t('tokens.noEnd')
                      )}
                    </span>
                  </div>
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={t('tokens.endOf', { name: token.name })}
                    onClick={() => setEnding(token)}
                  >
                    {t('tokens.end')}
                  </Button>
                </li>
              );
            })}
          </ul>
        </Card>
      )}
      {making && <CreateToken onClose={() => setMaking(false)} />}
      {ending && <EndToken token={ending} onClose={() => setEnding(null)} />}
    </>
  );
}

function CreateToken({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['team', 'ui']);
  const create = useCreateToken();
  const form = useForm<{ name: string; scopes: Token['scopes']; life: (typeof lives)[number] }>({
    initialValues: { name: '', scopes: ['read'], life: '90' },
    validate: {
      name: (v) => (v.trim() === '' ? t('tokens.nameMissing') : null),
      scopes: (v) => (v.length === 0 ? t('tokens.scopeMissing') : null),
    },
  });
  if (create.data) {
    const { secret } = create.data;
    return (
      <Dialog onClose={onClose} title={t('tokens.made')} closeOnClickOutside={false} closeOnEscape={false} size="lg">
        <Stack gap="md">
          <Text size="sm">{t('tokens.once')}</Text>
          <CopyField label={t('tokens.secret')} value={secret} />
          <CopyField
            label={t('tokens.example')}
            labelled
            value={`curl -H "Authorization: Bearer ${secret}" ${window.location.origin}/api/v1/me`}
          />
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('tokens.done')}</Button>
          </Group>
        </Stack>
      </Dialog>
    );
  }
  return (
    <Dialog onClose={onClose} title={t('tokens.create')} size="lg">
      <form
        noValidate
        onSubmit={form.onSubmit(({ name, scopes: chosen, life }) =>
          create.mutate(
            {
              name: name.trim(),
              scopes: chosen,
              expires_at: life === 'never' ? undefined : new Date(Date.now() + Number(life) * day).toISOString(),
            },
            { onError: (error) => form.setErrors(fieldErrors(error)) },
          ),
        )}
      >
        <Stack gap="lg">
          <TextInput
            data-autofocus
            label={t('tokens.name')}
            description={t('tokens.nameHelp')}
            placeholder={t('tokens.namePlaceholder')}
            maxLength={80}
            required
            {...form.getInputProps('name')}
          />
          <Checkbox.Group
            label={t('tokens.scopes')}
            description={t('tokens.scopesHelp')}
            {...form.getInputProps('scopes')}
          >
            <Stack gap="sm" mt="xs">
              {scopes.map((scope) => (
                <Checkbox
                  key={scope}
                  value={scope}
                  label={t(`scope.${scope}.name`)}
                  description={t(`scope.${scope}.text`)}
                />
              ))}
            </Stack>
          </Checkbox.Group>
          <Select
            label={t('tokens.life')}
            allowDeselect={false}
            data={lives.map((value) => ({ value, label: t(`tokens.lives.${value}`) }))}
            {...form.getInputProps('life')}
          />
          {create.error && <InlineError error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('tokens.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function EndToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t } = useTranslation(['team', 'ui']);
  const end = useEndToken();
  return (
    <Dialog onClose={onClose} title={t('tokens.endTitle', { name: token.name })}>
      <Stack gap="md">
        <Text size="sm">{t('tokens.endText')}</Text>
        {end.error && <InlineError error={end.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button
            color="red"
            loading={end.isPending}
            onClick={() =>
              afterwards(end.mutateAsync(token.id), () => {
                notifications.show({ message: t('tokens.ended', { name: token.name }) });
                onClose();
              })
            }
          >
            {t('tokens.end')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
