import { PageHeader } from '@/ui/PageHeader';

export function BotPage() {
  return <PageHeader title="BotPage" />;
}
