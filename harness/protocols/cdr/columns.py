"""The columns of Cisco Unified CM's call detail records (CDR) and call management records (CMR), in their order.

Confirmed: names and order by Cisco's Call Reporting and Billing Administration Guide (releases 11.5 to 15: CDR Field
Descriptions, CMR Field Descriptions) and by public readers of real files; types of all columns but the last four of a
CDR by the second line of real files. Those four came with releases 11.0 and 12.5; their types are those that public
databases give them (`UNCONFIRMED`). The guide writes some names otherwise than the files do (`directoryNumber`,
`incomingProtocolID`); the files' spelling stands here, and a reader compares without regard to case.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CDR: Final = "cdr"
CMR: Final = "cmr"
TEXT_OF_ID: Final = 36
"""Characters of a UNIQUEIDENTIFIER, a UUID with hyphens."""
_TYPE: Final = re.compile(r"VARCHAR\((\d+)\)")


class Column(NamedTuple):
    """One column."""

    name: str
    type: str
    """`INTEGER`, `VARCHAR(n)` or `UNIQUEIDENTIFIER`."""

    @property
    def is_number(self) -> bool:
        """Whether its values are whole numbers, written without quotes."""
        return self.type == "INTEGER"

    @property
    def length(self) -> int:
        """Characters that a text may have; 0 for a number."""
        match = _TYPE.fullmatch(self.type)
        return int(match[1]) if match else 0 if self.is_number else TEXT_OF_ID


# A type, then the columns that follow one another with it.
_CDR: Final = """
    INTEGER cdrRecordType globalCallID_callManagerId globalCallID_callId origLegCallIdentifier
        dateTimeOrigination origNodeId origSpan origIpAddr
    VARCHAR(50) callingPartyNumber
    VARCHAR(128) callingPartyUnicodeLoginUserID
    INTEGER origCause_location origCause_value origPrecedenceLevel origMediaTransportAddress_IP
        origMediaTransportAddress_Port origMediaCap_payloadCapability origMediaCap_maxFramesPerPacket
        origMediaCap_g723BitRate origVideoCap_Codec origVideoCap_Bandwidth origVideoCap_Resolution
        origVideoTransportAddress_IP origVideoTransportAddress_Port
    VARCHAR(64) origRSVPAudioStat origRSVPVideoStat
    INTEGER destLegIdentifier destNodeId destSpan destIpAddr
    VARCHAR(50) originalCalledPartyNumber finalCalledPartyNumber
    VARCHAR(128) finalCalledPartyUnicodeLoginUserID
    INTEGER destCause_location destCause_value destPrecedenceLevel destMediaTransportAddress_IP
        destMediaTransportAddress_Port destMediaCap_payloadCapability destMediaCap_maxFramesPerPacket
        destMediaCap_g723BitRate destVideoCap_Codec destVideoCap_Bandwidth destVideoCap_Resolution
        destVideoTransportAddress_IP destVideoTransportAddress_Port
    VARCHAR(64) destRSVPAudioStat destRSVPVideoStat
    INTEGER dateTimeConnect dateTimeDisconnect
    VARCHAR(50) lastRedirectDn
    UNIQUEIDENTIFIER pkid
    VARCHAR(50) originalCalledPartyNumberPartition callingPartyNumberPartition finalCalledPartyNumberPartition
        lastRedirectDnPartition
    INTEGER duration
    VARCHAR(129) origDeviceName destDeviceName
    INTEGER origCallTerminationOnBehalfOf destCallTerminationOnBehalfOf origCalledPartyRedirectOnBehalfOf
        lastRedirectRedirectOnBehalfOf origCalledPartyRedirectReason lastRedirectRedirectReason
        destConversationId
    VARCHAR(50) globalCallId_ClusterID
    INTEGER joinOnBehalfOf
    VARCHAR(2048) comment
    VARCHAR(50) authCodeDescription
    INTEGER authorizationLevel
    VARCHAR(32) clientMatterCode
    INTEGER origDTMFMethod destDTMFMethod callSecuredStatus origConversationId origMediaCap_Bandwidth
        destMediaCap_Bandwidth
    VARCHAR(32) authorizationCodeValue
    VARCHAR(50) outpulsedCallingPartyNumber outpulsedCalledPartyNumber
    VARCHAR(64) origIpv4v6Addr destIpv4v6Addr
    INTEGER origVideoCap_Codec_Channel2 origVideoCap_Bandwidth_Channel2 origVideoCap_Resolution_Channel2
        origVideoTransportAddress_IP_Channel2 origVideoTransportAddress_Port_Channel2
        origVideoChannel_Role_Channel2 destVideoCap_Codec_Channel2 destVideoCap_Bandwidth_Channel2
        destVideoCap_Resolution_Channel2 destVideoTransportAddress_IP_Channel2
        destVideoTransportAddress_Port_Channel2 destVideoChannel_Role_Channel2 IncomingProtocolID
    VARCHAR(32) IncomingProtocolCallRef
    INTEGER OutgoingProtocolID
    VARCHAR(32) OutgoingProtocolCallRef
    INTEGER currentRoutingReason origRoutingReason lastRedirectingRoutingReason
    VARCHAR(50) huntPilotPartition huntPilotDN
    INTEGER calledPartyPatternUsage
    VARCHAR(50) IncomingICID IncomingOrigIOI IncomingTermIOI OutgoingICID OutgoingOrigIOI OutgoingTermIOI
        outpulsedOriginalCalledPartyNumber outpulsedLastRedirectingNumber
    INTEGER wasCallQueued totalWaitTimeInQueue
    VARCHAR(255) callingPartyNumber_uri originalCalledPartyNumber_uri finalCalledPartyNumber_uri
        lastRedirectDn_uri
    VARCHAR(50) mobileCallingPartyNumber finalMobileCalledPartyNumber
    VARCHAR(129) origMobileDeviceName destMobileDeviceName
    INTEGER origMobileCallDuration destMobileCallDuration mobileCallType
    VARCHAR(50) originalCalledPartyPattern finalCalledPartyPattern lastRedirectingPartyPattern huntPilotPattern
    VARCHAR(100) origDeviceType destDeviceType
    VARCHAR(128) origDeviceSessionID destDeviceSessionID
"""
_CMR: Final = """
    INTEGER cdrRecordType globalCallID_callManagerId globalCallID_callId nodeId
    VARCHAR(50) directoryNum
    INTEGER callIdentifier dateTimeStamp numberPacketsSent numberOctetsSent numberPacketsReceived
        numberOctetsReceived numberPacketsLost jitter latency
    UNIQUEIDENTIFIER pkid
    VARCHAR(50) directoryNumPartition globalCallId_ClusterID
    VARCHAR(129) deviceName
    VARCHAR(600) varVQMetrics
    INTEGER duration
    VARCHAR(10) videoContentType
    INTEGER videoDuration numberVideoPacketsSent numberVideoOctetsSent numberVideoPacketsReceived
        numberVideoOctetsReceived numberVideoPacketsLost videoAverageJitter videoRoundTripTime videoOneWayDelay
    VARCHAR(600) videoReceptionMetrics videoTransmissionMetrics
    VARCHAR(10) videoContentType_channel2
    INTEGER videoDuration_channel2 numberVideoPacketsSent_channel2 numberVideoOctetsSent_channel2
        numberVideoPacketsReceived_channel2 numberVideoOctetsReceived_channel2 numberVideoPacketsLost_channel2
        videoAverageJitter_channel2 videoRoundTripTime_channel2 videoOneWayDelay_channel2
    VARCHAR(600) videoReceptionMetrics_channel2 videoTransmissionMetrics_channel2
    VARCHAR(128) localSessionID remoteSessionID
    VARCHAR(129) headsetSN
    VARCHAR(1024) headsetMetrics
"""
UNCONFIRMED: Final = frozenset(("origDeviceType", "destDeviceType", "origDeviceSessionID", "destDeviceSessionID"))
"""Columns of a CDR whose type no public file shows."""


def _columns(text: str) -> tuple[Column, ...]:
    found: list[Column] = []
    kind = ""
    for word in text.split():
        if word in ("INTEGER", "UNIQUEIDENTIFIER") or _TYPE.fullmatch(word):
            kind = word
        else:
            found.append(Column(word, kind))
    return tuple(found)


COLUMNS: Final[dict[str, tuple[Column, ...]]] = {CDR: _columns(_CDR), CMR: _columns(_CMR)}
"""The columns of a file, by its tag."""
BY_NAME: Final[dict[str, dict[str, Column]]] = {
    tag: {column.name.lower(): column for column in columns} for tag, columns in COLUMNS.items()
}
"""The same by lower-case name."""
