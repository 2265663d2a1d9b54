import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

/**
 * For a workflow that ends within minutes: it ends on the build of the workers that began it, whatever is deployed
 * meanwhile. Every other one goes on with the current build, since it may wait for a dead host or for Kafka longer than
 * anyone keeps an old one. Temporal takes the option from workers that have a build only.
 */
export function endsOnItsBuild(): WorkflowDefinitionOptions {
  return workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'PINNED' } : {};
}
