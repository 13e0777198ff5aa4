import Host
import Testing

struct RateLimiterTests {
  @Test func `so many at once and then one a second with the number of the others`() {
    let allowance = RateLimiter(burst: 3)
    let start = ContinuousClock.now
    let atOnce = (0..<10).map { _ in allowance.take(at: start) }
    #expect(atOnce == [0, 0, 0] + Array(repeating: nil, count: 7))
    #expect(allowance.take(at: start + .milliseconds(900)) == nil)
    #expect(allowance.take(at: start + .milliseconds(1_100)) == 8)
    #expect(allowance.take(at: start + .milliseconds(1_200)) == nil)
    #expect(allowance.take(at: start + .seconds(60)) == 1)
  }
}
