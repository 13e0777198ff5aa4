import Glibc
import Host
import Testing

struct LoopLivenessTests {
  private let pulse = LoopLiveness()

  @Test func `loop that rests is not late before its time is over`() {
    pulse.rest(for: .seconds(3_600))
    usleep(20_000)
    #expect(pulse.delay == .zero)
    pulse.rest(for: .zero)
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
  }

  @Test func `loop that is at work is late until it turns`() {
    pulse.rest(for: .seconds(3_600))
    pulse.beat()
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
    pulse.rest(for: .seconds(3_600))
    #expect(pulse.delay == .zero)
  }

  @Test func `nothing is expected of a loop that has ended`() {
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
    pulse.end()
    #expect(pulse.delay == .zero)
  }
}
