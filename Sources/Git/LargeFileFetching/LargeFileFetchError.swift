package import GitModel
package import LargeFiles
package import Upstreams
package import WebClient

/// Why the content of a large file was not fetched. Never holds a header, and of an address no more than its host: those of
/// a content may let anyone read it.
package enum LargeFileFetchError: Error, Equatable, Sendable {
  /// `.lfsconfig` names a server other than the upstream's.
  case placeElsewhere(UpstreamURL, named: String)
  /// Nothing answers there as an LFS server does.
  case serverMissing(place: String, status: Int)
  /// It has no server, or none that ssh opens.
  case notOffered(UpstreamURL, detail: String)
  /// It answers with an error.
  case rejected(place: String, status: Int, said: String)
  /// It wants us to come later than we wait.
  case busy(place: String, seconds: Int)
  /// What it says of one content, or its host when asked for it.
  case object(LargeFilePointer, host: String, status: Int, said: String)
  /// What came is not what the pointer names.
  case otherContent(LargeFilePointer, host: String)
  case invalid(place: String, reason: String)
  /// The repository of this machine that is the upstream does not have it either.
  case missing(LargeFilePointer, directory: String)
  /// A proxy that git takes, and we cannot use.
  case proxyUnsupported(String)
  case upstream(UpstreamError)
  case web(WebError)
  case store(LargeFileError)
  case stopped
}
