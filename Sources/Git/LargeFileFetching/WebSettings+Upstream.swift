import Foundation
import Upstreams
import WebClient

extension UpstreamSettings {
  /// As git reaches the upstream.
  var webSettings: WebSettings {
    get throws(LargeFileFetchError) {
      WebSettings(certificateFile: caFile, proxy: try proxy.map(Self.webProxy))
    }
  }

  private static func webProxy(_ text: String) throws(LargeFileFetchError) -> WebSettings.Proxy {
    guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else {
      throw .proxyUnsupported(text)
    }
    switch parts.scheme {
    // git's own default.
    case "http": return .init(host: host, port: parts.port ?? 1_080)
    case "socks5", "socks5h": return .init(host: host, port: parts.port ?? 1_080, kind: .socks)
    default: throw .proxyUnsupported(text)
    }
  }
}
