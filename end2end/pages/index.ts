export * from '../kit/src/pages';
