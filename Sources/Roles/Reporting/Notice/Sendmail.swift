import Mail
import Programs

/// A mail program of this machine, as sendmail(8) is called, and all that are called like it: the message on its standard
/// input, `-i` (a line of one dot is none of its ends), the sender of the envelope, and who it is for.
enum Sendmail {
  /// sysexits(3): the receiver is not known, or its host is not.
  private static let noUser: Int32 = 67
  private static let noHost: Int32 = 68

  static func send(
    _ message: MailMessage, by program: NoticeProgram, until stop: ProgramStop
  ) throws -> String {
    try program.run(
      ["-i", "-f", message.from.text, "--", message.to.text], input: message.localBytes,
      until: stop)
  }

  static func isFinal(_ ending: ProgramOutcome.Ending) -> Bool {
    ending == .exit(noUser) || ending == .exit(noHost)
  }
}
