export {
  type ArgoApplication,
  type ArgoSource,
  type ReadApplications,
  readApplications,
} from './application.ts';
