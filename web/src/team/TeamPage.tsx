import { PageHeader } from '@/ui/PageHeader';

export function TeamPage() {
  return <PageHeader title="TeamPage" />;
}
