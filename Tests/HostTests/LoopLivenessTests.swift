import Glibc
import Host
import Testing

struct LoopLivenessTests {
  private let pulse = LoopLiveness()

  @Test func loopThatRestsIsNotLateBeforeItsTimeIsOver() {
    pulse.rest(for: .seconds(3_600))
    usleep(20_000)
    #expect(pulse.delay == .zero)
    pulse.rest(for: .zero)
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
  }

  @Test func loopThatIsAtWorkIsLateUntilItTurns() {
    pulse.rest(for: .seconds(3_600))
    pulse.beat()
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
    pulse.rest(for: .seconds(3_600))
    #expect(pulse.delay == .zero)
  }

  @Test func nothingIsExpectedOfALoopThatHasEnded() {
    usleep(20_000)
    #expect(pulse.delay >= .milliseconds(20))
    pulse.end()
    #expect(pulse.delay == .zero)
  }
}
