// Golden test: the same 120 rows measured by scikit-learn 1.9.1, scipy 1.17.1 and numpy 2.4.6, once, with the
// program below.
import { describe, expect, it } from 'vitest'
import {
  areaUnderRoc,
  averagePrecision,
  confusion,
  curve,
  mcnemar,
  percentile,
  rates,
  thresholdFor,
  wilson,
  wilsonOfArea,
  wilsonOfF1,
} from '../../../src/cli/eval/metrics.js'

/*
 * import math, numpy as np, sklearn, scipy
 * from sklearn.metrics import average_precision_score, roc_auc_score, precision_recall_fscore_support, confusion_matrix
 * from scipy.stats import binomtest
 * # A linear congruential generator, so that the rows need no file: 120 rows, scores cut to two digits to make ties.
 * state = 42
 * def lcg():
 *     global state
 *     state = (1103515245 * state + 12345) % 2**31
 *     return state / 2**31
 * y, s, s2 = [], [], []
 * for _ in range(120):
 *     unsafe = lcg() < 0.35
 *     y.append(unsafe)
 *     s.append(math.floor(100 * ((0.25 if unsafe else 0.0) + 0.75 * lcg())) / 100)
 *     s2.append(math.floor(100 * ((0.1 if unsafe else 0.0) + 0.9 * lcg())) / 100)
 * y, s, s2 = np.array(y), np.array(s), np.array(s2)
 * p, r, f, _ = precision_recall_fscore_support(y, s >= 0.5, average='binary')
 * tn, fp, fn, tp = confusion_matrix(y, s >= 0.5).ravel()
 * a, b = (s >= 0.5) == y, (s2 >= 0.5) == y
 * print(sklearn.__version__, scipy.__version__, np.__version__)
 * print(dict(positives=int(y.sum()), precision=p, recall=r, f1=f, fpr=fp/(fp+tn), ap=average_precision_score(y, s), auroc=roc_auc_score(y, s),
 *   p50=np.percentile(s,50), p95=np.percentile(s,95), p99=np.percentile(s,99), onlyFirst=int((a&~b).sum()), onlySecond=int((b&~a).sum()), mcnemar=binomtest(int((a&~b).sum()), int((a^b).sum()), 0.5).pvalue,
 *   big=binomtest(620, 1300, 0.5).pvalue))
 * from sklearn.metrics import roc_curve
 * fpr, tpr, t = roc_curve(y, s, drop_intermediate=False); k = np.where(fpr <= 0.1)[0][-1]; print(t[k], fpr[k], tpr[k])
 */

function rows(): { unsafe: boolean; score: number; other: number }[] {
  let state = 42n
  const next = (): number => {
    state = (1103515245n * state + 12345n) % 2n ** 31n
    return Number(state) / 2 ** 31
  }
  const cut = (value: number): number => Math.floor(100 * value) / 100
  return Array.from({ length: 120 }, () => {
    const unsafe = next() < 0.35
    return { unsafe, score: cut((unsafe ? 0.25 : 0) + 0.75 * next()), other: cut((unsafe ? 0.1 : 0) + 0.9 * next()) }
  })
}

const all = rows()
const scores = all.map(({ score }) => score)
const flagged = all.map(({ unsafe, score }) => ({ unsafe, flagged: score >= 0.5 }))

describe('Metrics', () => {
  it('agree with scikit-learn on precision, recall, F1 and false positive rate', () => {
    const measured = rates(confusion(flagged))
    expect(all.filter(({ unsafe }) => unsafe)).toHaveLength(38)
    expect(measured.precision).toBeCloseTo(0.44642857142857145, 12)
    expect(measured.recall).toBeCloseTo(0.6578947368421053, 12)
    expect(measured.f1).toBeCloseTo(0.5319148936170213, 12)
    expect(measured.falsePositiveRate).toBeCloseTo(0.3780487804878049, 12)
  })

  it('agree with scikit-learn on average precision and the area under the ROC curve, ties included', () => {
    expect(new Set(scores).size).toBeLessThan(120)
    expect(averagePrecision(all)).toBeCloseTo(0.6028606730018207, 12)
    expect(areaUnderRoc(all)).toBeCloseTo(0.725609756097561, 12)
  })

  it('agree with numpy on percentiles', () => {
    expect(percentile(scores, 0.5)).toBeCloseTo(0.465, 12)
    expect(percentile(scores, 0.95)).toBeCloseTo(0.771, 12)
    expect(percentile(scores, 0.99)).toBeCloseTo(0.9843, 12)
  })

  it('recommend the threshold scikit-learn finds for a false positive rate of one in ten', () => {
    expect(thresholdFor(all, 0.1)).toMatchObject({ threshold: 0.71, recall: 0.2894736842105263 })
    expect(thresholdFor(all, 0.1)?.falsePositiveRate).toBeCloseTo(0.0975609756097561, 12)
  })

  it('agree with scipy on the exact McNemar test, small and large', () => {
    const small = mcnemar(
      all.map(({ unsafe, score, other }) => ({ first: score >= 0.5 === unsafe, second: other >= 0.5 === unsafe })),
    )
    expect(small).toMatchObject({ onlyFirst: 28, onlySecond: 18 })
    expect(small.p).toBeCloseTo(0.18392482137699062, 10)
    const large = mcnemar(Array.from({ length: 1300 }, (_, index) => ({ first: index < 620, second: index >= 620 })))
    expect(large.p).toBeCloseTo(0.10172628614557612, 10)
    expect(mcnemar([]).p).toBe(1)
  })

  it('have no value, rather than a wrong one, where a class is missing', () => {
    const safe = [{ unsafe: false, score: 0.4 }]
    expect(curve(safe)).toEqual([])
    expect(averagePrecision(safe)).toBeUndefined()
    expect(areaUnderRoc(safe)).toBeUndefined()
    expect(thresholdFor(safe, 0.1)).toBeUndefined()
    expect(percentile([], 0.5)).toBeUndefined()
    expect(rates(confusion([{ unsafe: false, flagged: false }]))).toMatchObject({
      precision: undefined,
      recall: undefined,
      f1: undefined,
      falsePositiveRate: 0,
    })
    expect(wilson(0, 0)).toBeUndefined()
    expect(wilsonOfArea(undefined, 0)).toBeUndefined()
  })

  it('recommend nothing when even the highest score breaks the promise', () => {
    expect(
      thresholdFor(
        [
          { unsafe: false, score: 1 },
          { unsafe: true, score: 0.9 },
        ],
        0.5,
      ),
    ).toBeUndefined()
  })

  it('agree with scipy on the interval of Wilson, which has a width at 0 and at 1 too', () => {
    expect(wilson(8, 10)?.low).toBeCloseTo(0.4901624715490409, 10)
    expect(wilson(8, 10)?.high).toBeCloseTo(0.9433178485456247, 10)
    expect(wilson(0, 10)).toEqual({ low: 0, high: expect.closeTo(0.2775327998628892, 10) as number })
    expect(wilson(10, 10)).toEqual({ low: expect.closeTo(0.7224672001371107, 10) as number, high: 1 })
  })

  it('give F1 an interval near the one numpy draws, and one that is not a point where F1 is 1', () => {
    // 4000 draws of numpy's default_rng(0): 0.405 to 0.646.
    const interval = wilsonOfF1(confusion(flagged))
    expect(interval?.low).toBeCloseTo(0.405, 1)
    expect(interval?.high).toBeCloseTo(0.646, 1)
    const perfect = wilsonOfF1({ truePositives: 12, falsePositives: 0, trueNegatives: 9, falseNegatives: 0 })
    expect(perfect?.high).toBe(1)
    expect(perfect?.low).toBeGreaterThan(0.6)
    expect(perfect?.low).toBeLessThan(0.9)
  })

  it('give the areas intervals near those that numpy draws, and one that is not a point to a perfect order', () => {
    // 4000 draws of numpy's default_rng(0) with scikit-learn: 0.61 to 0.83 and 0.44 to 0.77.
    const auroc = wilsonOfArea(areaUnderRoc(all), 38)
    expect([auroc?.low, auroc?.high]).toEqual([expect.closeTo(0.57, 1), expect.closeTo(0.84, 1)])
    const auprc = wilsonOfArea(averagePrecision(all), 38)
    expect([auprc?.low, auprc?.high]).toEqual([expect.closeTo(0.44, 1), expect.closeTo(0.75, 1)])
    expect(wilsonOfArea(1, 10)).toEqual({ low: expect.closeTo(0.7224672, 5) as number, high: 1 })
  })
})
