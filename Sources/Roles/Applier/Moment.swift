package import Host
package import MessageFormat

/// What time it is, by the clock on the wall, which somebody may set, and since the machine's start.
package struct Moment: Hashable, Sendable {
  package let wall: Timestamp
  package let sinceBoot: BootTime

  package init(wall: Timestamp, sinceBoot: BootTime) {
    self.wall = wall
    self.sinceBoot = sinceBoot
  }

  /// How long ago `past` was, in milliseconds: within one boot by the clock that cannot be set, or else by the wall's.
  ///
  /// `nil`: `past` is ahead of now by more than clocks may differ, so that one of the two was written by a wrong clock.
  func milliseconds(since past: Moment) -> UInt64? {
    let (now, then) = (sinceBoot, past.sinceBoot)
    if now.boot == then.boot, !now.boot.isEmpty, now.milliseconds >= then.milliseconds {
      return now.milliseconds - then.milliseconds
    }
    guard past.wall <= wall.adding(milliseconds: Limits.clockSkewMillisecondsMax) else {
      return nil
    }
    return wall.milliseconds - min(wall.milliseconds, past.wall.milliseconds)
  }

  /// The same moment, but so much earlier; not before the clocks' beginning.
  func subtracting(milliseconds less: UInt64) -> Moment {
    Moment(
      wall: Timestamp(milliseconds: wall.milliseconds - min(wall.milliseconds, less)),
      sinceBoot: BootTime(
        boot: sinceBoot.milliseconds >= less ? sinceBoot.boot : "",
        milliseconds: sinceBoot.milliseconds - min(sinceBoot.milliseconds, less)))
  }
}
