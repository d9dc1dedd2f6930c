import { Button, Card, Container, Group, PasswordInput, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Language, setLanguage } from '@/i18n';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { PageHeader } from '@/ui/PageHeader';
import { useMe, useUpdateAccount } from './queries';

export function AccountPage() {
  const { t } = useTranslation(['session', 'ui', 'app']);
  return (
    <Container component="main" size={640} py="xl">
      <PageHeader
        title={t('account.title')}
        back={
          <Link to="/" style={{ display: 'inline-flex', gap: 6, alignItems: 'center', color: 'var(--accent-text)' }}>
            <IconArrowLeft size={15} aria-hidden />
            {t('app:notFound.home')}
          </Link>
        }
      />
      <Stack gap="lg">
        <Profile />
        <Password />
      </Stack>
    </Container>
  );
}

function Profile() {
  const { t } = useTranslation(['session', 'ui']);
  const me = useMe();
  const update = useUpdateAccount();
  const form = useForm<{ name: string; locale: Language }>({ initialValues: { name: me.name, locale: me.locale } });
  return (
    <Card component="section" aria-labelledby="profile">
      <Title order={2} id="profile" mb="md">
        {t('account.profile')}
      </Title>
      <form
        onSubmit={form.onSubmit((values) =>
          update.mutate(values, {
            onSuccess: () => {
              void setLanguage(values.locale);
              notifications.show({ message: t('ui:saved') });
            },
            onError: (error) => form.setErrors(fieldErrors(error)),
          }),
        )}
      >
        <Stack gap="md">
          <TextInput label={t('account.name')} autoComplete="name" required {...form.getInputProps('name')} />
          <Select
            label={t('account.language')}
            description={t('account.languageHelp')}
            allowDeselect={false}
            data={[
              { value: 'pt-BR', label: 'Português (Brasil)' },
              { value: 'en', label: 'English' },
            ]}
            {...form.getInputProps('locale')}
          />
          {update.error && <InlineError error={update.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={update.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function Password() {
  const { t } = useTranslation('session');
  const me = useMe();
  const update = useUpdateAccount();
  const form = useForm({ initialValues: { current_password: '', password: '' } });
  return (
    <Card component="section" aria-labelledby="password">
      <Title order={2} id="password">
        {t('account.passwordTitle')}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t('account.passwordText')}
      </Text>
      <form
        onSubmit={form.onSubmit((values) =>
          update.mutate(values, {
            onSuccess: () => {
              form.reset();
              notifications.show({ message: t('account.changed') });
            },
            onError: (error) => form.setErrors(fieldErrors(error)),
          }),
        )}
      >
        <Stack gap="md">
          <input type="hidden" name="username" autoComplete="username" value={me.email} readOnly />
          <PasswordInput
            label={t('account.current')}
            autoComplete="current-password"
            required
            {...form.getInputProps('current_password')}
          />
          <PasswordInput
            label={t('account.new')}
            autoComplete="new-password"
            required
            {...form.getInputProps('password')}
          />
          {update.error && <InlineError error={update.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={update.isPending}>
              {t('account.change')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
