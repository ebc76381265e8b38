import { describe, expect, it } from 'vitest';
import {
  fieldPredicate,
  formatLabelSelector,
  labelsMatch,
  parseFieldSelector,
  parseLabelSelector,
} from '../../src/kubernetes/index.ts';

const labels = { app: 'echo', tier: 'backend', env: 'dev' };

describe('label selector', () => {
  it.each([
    ['', true],
    ['app=echo', true],
    ['app==echo,tier=backend', true],
    ['app=other', false],
    ['app!=other', true],
    ['missing!=value', true],
    ['env in (dev, test)', true],
    ['env notin (dev,test),app=echo', false],
    ['missing notin (a)', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['app=echo,app=other', false],
    ['app=', false],
  ])('%j matches %j', (text, expected) => {
    expect(labelsMatch(parseLabelSelector(text), labels)).toBe(expected);
  });

  it('is not fooled by what every object inherits', () => {
    expect(labelsMatch(parseLabelSelector('constructor'), labels)).toBe(false);
    expect(labelsMatch(parseLabelSelector('!toString'), labels)).toBe(true);
  });

  it.each(['a in (b', '=x', 'a=b=c', 'a b', ',', 'a=b,,c'])('refuses %j', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/^unable to parse requirement/);
  });

  it('is printed as kubectl describe prints it', () => {
    expect(formatLabelSelector(parseLabelSelector('env in (test,dev),!old,app=echo'))).toBe(
      '!old,app=echo,env in (dev,test)',
    );
  });
});

describe('field selector', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'echo', namespace: 'backend' },
    spec: { nodeName: 'laptop', hostNetwork: true },
  };

  it.each([
    ['metadata.name=echo', true],
    ['metadata.name==echo,spec.nodeName=laptop', true],
    ['spec.nodeName!=laptop', false],
    ['status.phase!=Running', true],
    ['status.phase=', true],
    ['spec.hostNetwork=true', true],
  ])('%j matches %j', (text, expected) => {
    expect(fieldPredicate(parseFieldSelector(text))(pod)).toBe(expected);
  });

  it('refuses what is no selector', () => {
    expect(() => parseFieldSelector('metadata.name')).toThrow(/^invalid selector: 'metadata.name'/);
  });
});
