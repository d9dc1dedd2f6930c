import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import { InlineError } from '@/ui/errors';
import { AuthLayout } from './AuthLayout';
import { setSessionEnded } from './ended';
import { useLogin } from './queries';

const route = getRouteApi('/login');

export function LoginPage() {
  const { t } = useTranslation('session');
  const { next } = route.useSearch();
  const router = useRouter();
  const login = useLogin();
  const form = useForm({ initialValues: { email: '', password: '' } });

  return (
    <AuthLayout title={t('login.title')} text={t('login.text')}>
      <form
        onSubmit={form.onSubmit((values) =>
          login.mutate(values, {
            onSuccess: () => {
              setSessionEnded(false);
              // Only a path of this site: anything else in the address would lead people away.
              router.history.push(next && /^\/(?![/\\])/.test(next) ? next : '/');
            },
          }),
        )}
      >
        <Stack gap="md">
          <TextInput
            size="md"
            type="email"
            name="email"
            label={t('email')}
            autoComplete="username"
            autoFocus
            required
            {...form.getInputProps('email')}
          />
          <PasswordInput
            size="md"
            name="password"
            label={t('password')}
            autoComplete="current-password"
            required
            {...form.getInputProps('password')}
          />
          {login.error &&
            (isApiError(login.error, 'unauthenticated', 'invalid') ? (
              <InlineError message={t('login.wrong')} />
            ) : (
              <InlineError error={login.error} />
            ))}
          <Button type="submit" size="md" fullWidth loading={login.isPending}>
            {t('login.submit')}
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
