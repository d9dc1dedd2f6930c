import { PageHeader } from '@/ui/PageHeader';

export function BotsPage() {
  return <PageHeader title="BotsPage" />;
}
