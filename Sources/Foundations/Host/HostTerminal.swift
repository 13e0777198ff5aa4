import Glibc

/// What a terminal can be asked.
package enum HostTerminal {
  /// The width of the terminal behind a descriptor, in characters; `nil`: there is no terminal (ioctl_tty(2), TIOCGWINSZ).
  package static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
    return Int(size.ws_col)
  }
}
