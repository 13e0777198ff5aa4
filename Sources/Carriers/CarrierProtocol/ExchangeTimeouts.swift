package import Host

/// How long an exchange waits for what.
package struct ExchangeTimeouts: Sendable {
  /// The longest that a carrier keeps us waiting for mail: then it says that there is none, which is its sign of life.
  package var mail: Duration = .seconds(20)
  /// A carrier that is so much later than that is silent, and the socket is made anew. What is under way in the other
  /// direction may keep a slow line busy.
  package var delay: Duration = .seconds(10)
  /// A deposit of which nothing is heard for so long is looked after: does it still wait here?
  package var answer: Duration = .seconds(10)
  /// After so long it is offered again. A line that takes longer for half the credit, 2 MiB, sends some of it twice.
  package var progress: Duration = .seconds(60)

  /// Between two connections, jittered and growing.
  package var pauses = (first: Duration.milliseconds(250), longest: Duration.seconds(30))

  /// Of every pause.
  package var jitter: Backoff.Jitter = Backoff.random

  package init() {}

  var silence: Duration { mail + delay }

  var mailMilliseconds: UInt32 { UInt32(mail / .milliseconds(1)) }
}
